rule confusion:
    input:
        maps=expand("results/maps/{method}/{{tile}}_class.tif", method=METHODS),
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
        nomenclature=NOMENCLATURE,
    output:
        expand("results/accuracy/{method}/{{tile}}.json", method=METHODS),
    log:
        "logs/confusion/{tile}.log",
    benchmark:
        "results/benchmarks/confusion/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(200 + 3 * TILE_MPX),
        runtime=minutes(10 + 0.1 * TILE_MPX),
    params:
        methods=METHODS,
        library=VERSION,
    message:
        "{wildcards.tile}: the maps against the test polygons"
    script:
        "../scripts/confusion.py"


rule regularised_scores:
    input:
        confusions=expand(
            "results/accuracy/{method}/regularised/{tile}.json",
            method=REGULARISED,
            tile=TILES,
        ),
        nomenclature=NOMENCLATURE,
    output:
        "results/accuracy/regularised.csv",
    log:
        "logs/regularised_scores.log",
    benchmark:
        "results/benchmarks/regularised_scores.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300 + 0.6 * ALL_MPX),
        runtime=minutes(10 + 0.15 * ALL_MPX),
    params:
        **SCORING,
        methods=REGULARISED,
        seed=config["seed"],
        library=VERSION,
    message:
        "the scores of the regularised maps"
    script:
        "../scripts/regularised_scores.py"


rule scores:
    input:
        confusions=expand(
            "results/accuracy/{method}/{tile}.json", method=METHODS, tile=TILES
        ),
        nomenclature=NOMENCLATURE,
    output:
        pooled=expand("results/accuracy/{method}/_pooled.json", method=METHODS),
        matrices=expand("results/accuracy/{method}/confusion.csv", method=METHODS),
        summary="results/accuracy/summary.csv",
        classes="results/accuracy/classes.csv",
        comparison="results/accuracy/comparison.json",
        differences="results/accuracy/comparison.csv",
    log:
        "logs/scores.log",
    benchmark:
        "results/benchmarks/scores.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        # By polygons: measured with 100,000 test polygons in a tile, far more than usual.
        mem_mb=memory(300 + 0.6 * ALL_MPX),
        runtime=minutes(10 + 0.15 * ALL_MPX),
    params:
        **SCORING,
        methods=METHODS,
        seed=config["seed"],
        library=VERSION,
    message:
        "kappa, F-scores, their intervals, and the comparison of the methods"
    script:
        "../scripts/scores.py"


rule regularisation:
    input:
        raw=expand("results/accuracy/{method}/_pooled.json", method=METHODS),
        raw_comparison="results/accuracy/comparison.json",
        majority=expand(
            "results/accuracy/{method}/majority/{tile}.json",
            method=METHODS,
            tile=TILES,
        ),
        nomenclature=NOMENCLATURE,
    output:
        table="results/accuracy/regularisation.csv",
        comparison="results/accuracy/regularisation.json",
    log:
        "logs/regularisation.log",
    benchmark:
        "results/benchmarks/regularisation.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300 + 0.6 * ALL_MPX),
        runtime=minutes(10 + 0.15 * ALL_MPX),
    params:
        **SCORING,
        methods=METHODS,
        radius=config["comparison"]["majority_radius"],
        seed=config["seed"],
        library=VERSION,
    message:
        "the scores of the maps as they are and after the majority filter"
    script:
        "../scripts/regularisation.py"


rule learning_time:
    input:
        metadata=expand("results/models/{method}/metadata.json", method=METHODS),
    output:
        "results/accuracy/learning_time.csv",
    log:
        "logs/learning_time.log",
    benchmark:
        "results/benchmarks/learning_time.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(200),
        runtime=minutes(5),
    params:
        library=VERSION,
    message:
        "time, workers and samples of the learning of each method"
    script:
        "../scripts/learning_time.py"
