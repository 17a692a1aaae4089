# The chain from statistics to confusions once more, for each share of the polygons.


use rule training_statistics as curve_training_statistics with:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        split="results/comparison/{budget}/{tile}_split.tif",
    output:
        "results/comparison/{budget}/statistics/{tile}.npz",
    log:
        "logs/curve_training_statistics/{budget}_{tile}.log",
    benchmark:
        "results/benchmarks/curve_training_statistics/{budget}_{tile}.tsv"
    message:
        "{wildcards.tile}: statistics of the training split, budget {wildcards.budget}"


use rule training_plan as curve_training_plan with:
    input:
        series=expand("results/series/{tile}.zarr", tile=TILES),
        codes=expand("results/reference/{tile}_code.tif", tile=TILES),
        splits=expand("results/comparison/{{budget}}/{tile}_split.tif", tile=TILES),
        statistics=expand(
            "results/comparison/{{budget}}/statistics/{tile}.npz", tile=TILES
        ),
        audits=expand("results/reference/{tile}_audit.json", tile=TILES),
        nomenclature=ancient(NOMENCLATURE),
    output:
        "results/comparison/{budget}/fgunet/plan.json",
    log:
        "logs/curve_training_plan/{budget}.log",
    benchmark:
        "results/benchmarks/curve_training_plan/{budget}.tsv"
    message:
        "planning the training of FG-UNET, budget {wildcards.budget}"


use rule train_fgunet as curve_train_fgunet with:
    input:
        plan="results/comparison/{budget}/fgunet/plan.json",
        series=expand("results/series/{tile}.zarr", tile=TILES),
        codes=expand("results/reference/{tile}_code.tif", tile=TILES),
        splits=expand("results/comparison/{{budget}}/{tile}_split.tif", tile=TILES),
    output:
        model="results/comparison/{budget}/fgunet/model.keras",
        history="results/comparison/{budget}/fgunet/history.csv",
        metadata="results/comparison/{budget}/fgunet/metadata.json",
    log:
        "logs/curve_train_fgunet/{budget}.log",
    benchmark:
        "results/benchmarks/curve_train_fgunet/{budget}.tsv"
    message:
        "budget {wildcards.budget}: training FG-UNET on {resources.workers} workers {params.way}"


use rule classify_fgunet as curve_classify_fgunet with:
    input:
        series="results/series/{tile}.zarr",
        model="results/comparison/{budget}/fgunet/model.keras",
        metadata="results/comparison/{budget}/fgunet/metadata.json",
        nomenclature=NOMENCLATURE,
    output:
        **{
            name: temp(path)
            for name, path in maps_in(
                "results/comparison/{budget}/maps/fgunet"
            ).items()
        },
    log:
        "logs/curve_classify_fgunet/{budget}_{tile}.log",
    benchmark:
        "results/benchmarks/curve_classify_fgunet/{budget}_{tile}.tsv"
    message:
        "{wildcards.tile}: classifying with FG-UNET, budget {wildcards.budget}"


use rule sample_pixels as curve_sample_pixels with:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/comparison/{budget}/{tile}_split.tif",
        nomenclature=ancient(NOMENCLATURE),
    output:
        samples=temp("results/comparison/{budget}/samples/{tile}.parquet"),
        validation=temp("results/comparison/{budget}/samples/{tile}_validation.parquet"),
    log:
        "logs/curve_sample_pixels/{budget}_{tile}.log",
    benchmark:
        "results/benchmarks/curve_sample_pixels/{budget}_{tile}.tsv"
    message:
        "{wildcards.tile}: drawing pixels for the forest, budget {wildcards.budget}"


use rule train_forest as curve_train_forest with:
    input:
        samples=expand(
            "results/comparison/{{budget}}/samples/{tile}.parquet", tile=TILES
        ),
        validation=expand(
            "results/comparison/{{budget}}/samples/{tile}_validation.parquet",
            tile=TILES,
        ),
        nomenclature=ancient(NOMENCLATURE),
    output:
        forest="results/comparison/{budget}/forest/forest.skops",
        metadata="results/comparison/{budget}/forest/metadata.json",
    log:
        "logs/curve_train_forest/{budget}.log",
    benchmark:
        "results/benchmarks/curve_train_forest/{budget}.tsv"
    message:
        "training the Random Forest, budget {wildcards.budget}"


use rule classify_forest as curve_classify_forest with:
    input:
        series="results/series/{tile}.zarr",
        model="results/comparison/{budget}/forest/forest.skops",
        metadata="results/comparison/{budget}/forest/metadata.json",
        nomenclature=NOMENCLATURE,
    output:
        **{
            name: temp(path)
            for name, path in maps_in(
                "results/comparison/{budget}/maps/forest"
            ).items()
        },
    log:
        "logs/curve_classify_forest/{budget}_{tile}.log",
    benchmark:
        "results/benchmarks/curve_classify_forest/{budget}_{tile}.tsv"
    message:
        "{wildcards.tile}: classifying with the Random Forest, budget {wildcards.budget}"


use rule confusion as curve_confusion with:
    input:
        maps=expand(
            "results/comparison/{{budget}}/maps/{method}/{{tile}}_class.tif",
            method=METHODS,
        ),
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
        nomenclature=NOMENCLATURE,
    output:
        expand(
            "results/comparison/{{budget}}/accuracy/{method}/{{tile}}.json",
            method=METHODS,
        ),
    log:
        "logs/curve_confusion/{budget}_{tile}.log",
    benchmark:
        "results/benchmarks/curve_confusion/{budget}_{tile}.tsv"
    message:
        "{wildcards.tile}: the maps of budget {wildcards.budget} against the test polygons"


rule learning_curve:
    input:
        **{
            f"budget_{budget}": expand(
                f"results/comparison/{budget}/accuracy/{{method}}/{{tile}}.json",
                method=METHODS,
                tile=TILES,
            )
            for budget in BUDGETS
        },
        whole=expand(
            "results/accuracy/{method}/{tile}.json", method=METHODS, tile=TILES
        ),
        polygons="results/comparison/polygons.parquet",
        nomenclature=NOMENCLATURE,
    output:
        "results/accuracy/learning_curve.csv",
    log:
        "logs/learning_curve.log",
    benchmark:
        "results/benchmarks/learning_curve.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300 + 0.6 * ALL_MPX * len(BUDGETS)),
        runtime=minutes(10 + 0.15 * ALL_MPX * len(BUDGETS)),
    params:
        **SCORING,
        budgets=BUDGETS,
        methods=METHODS,
        seed=config["seed"],
        library=VERSION,
    message:
        "accuracy against the polygons that were learned from"
    script:
        "../scripts/learning_curve.py"
