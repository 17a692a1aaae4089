rule training_statistics:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        split=LEARNING_SPLIT,
        checked=CHECKED,
    output:
        "results/statistics/{tile}.npz",
    log:
        "logs/training_statistics/{tile}.log",
    benchmark:
        "results/benchmarks/training_statistics/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(220 + 3 * TILE_MPX),
        runtime=minutes(10 + 3.5 * TILE_MPX),
    params:
        library=VERSION,
    message:
        "{wildcards.tile}: statistics of the training split"
    script:
        "../scripts/training_statistics.py"


rule training_plan:
    input:
        series=expand("results/series/{tile}.zarr", tile=TILES),
        codes=expand("results/reference/{tile}_code.tif", tile=TILES),
        splits=expand(LEARNING_SPLIT, tile=TILES),
        statistics=expand("results/statistics/{tile}.npz", tile=TILES),
        # Not read, as in learnable_labels.
        audits=expand("results/reference/{tile}_audit.json", tile=TILES),
        nomenclature=ancient(NOMENCLATURE),
    output:
        "results/models/fgunet/plan.json",
    log:
        "logs/training_plan.log",
    benchmark:
        "results/benchmarks/training_plan.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(550),
        runtime=minutes(60 + len(TILES)),
    params:
        settings={k: v for k, v in config["fgunet"].items() if k != "preset"},
        tiles=TILES,
        seed=config["seed"],
        classes=CLASSES,
        library=VERSION,
    message:
        "planning the training of FG-UNET"
    script:
        "../scripts/training_plan.py"


# A killed training goes on from its last checkpoint, which lies in the same folder and is no output,
# so that Snakemake leaves it there.
rule train_fgunet:
    input:
        plan="results/models/fgunet/plan.json",
        series=expand("results/series/{tile}.zarr", tile=TILES),
        codes=expand("results/reference/{tile}_code.tif", tile=TILES),
        splits=expand(LEARNING_SPLIT, tile=TILES),
    output:
        model="results/models/fgunet/model.keras",
        history="results/models/fgunet/history.csv",
        metadata="results/models/fgunet/metadata.json",
    log:
        "logs/train_fgunet.log",
    benchmark:
        "results/benchmarks/train_fgunet.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 2
    resources:
        mem_mb=memory_of_workers(1000, 2500),
        workers=workers,
        runtime=2880,
    params:
        folder=subpath(output.model, parent=True),
        launcher=launcher,
        threads=threads_of_a_worker,
        way=way_of_starting,
        library=VERSION,
    message:
        "training FG-UNET on {resources.workers} workers {params.way}"
    shell:
        "{params.launcher:q} python -m fgunet.training --threads {params.threads:q}"
        " {input.plan:q} {params.folder:q} 2>&1 | tee {log:q}"


rule sample_pixels:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split=LEARNING_SPLIT,
        nomenclature=ancient(NOMENCLATURE),
        checked=CHECKED,
    output:
        samples="results/samples/{tile}.parquet",
        validation="results/samples/{tile}_validation.parquet",
    log:
        "logs/sample_pixels/{tile}.log",
    benchmark:
        "results/benchmarks/sample_pixels/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 2
    resources:
        mem_mb=memory(
            300
            + 2 * TILE_MPX
            + 3 * megabytes_of_samples(SAMPLING, VALIDATION_SAMPLING)
        ),
        runtime=minutes(10, shared=2 * TILE_MPX),
    params:
        sampling=SAMPLING,
        validation_sampling=VALIDATION_SAMPLING,
        seed=config["seed"],
        classes=CLASSES,
        library=VERSION,
    message:
        "{wildcards.tile}: drawing pixels for the forest"
    script:
        "../scripts/sample_pixels.py"


rule train_forest:
    input:
        samples=expand("results/samples/{tile}.parquet", tile=TILES),
        validation=expand("results/samples/{tile}_validation.parquet", tile=TILES),
        nomenclature=ancient(NOMENCLATURE),
    output:
        forest="results/models/forest/forest.skops",
        metadata="results/models/forest/metadata.json",
    log:
        "logs/train_forest.log",
    benchmark:
        "results/benchmarks/train_forest.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 2
    resources:
        mem_mb=memory(400 + 6 * megabytes_of_samples(SAMPLING, VALIDATION_SAMPLING)),
        runtime=minutes(
            30 + len(TILES),
            shared=3 * megabytes_of_samples(SAMPLING, VALIDATION_SAMPLING),
        ),
    params:
        sampling=SAMPLING,
        validation_sampling=VALIDATION_SAMPLING,
        settings=CLASSIFIER,
        seed=config["seed"],
        classes=CLASSES,
        library=VERSION,
    message:
        "training the Random Forest"
    script:
        "../scripts/train_forest.py"
