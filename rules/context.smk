# Accuracy by what may matter to it, and how far the maps' confidence can be believed.


CONTEXT_TABLES = {
    name: f"results/accuracy/{name}.csv"
    for name in ("context", "context_changes", "reliability", "calibration")
}


rule context:
    input:
        maps=expand("results/maps/{method}/{{tile}}_class.tif", method=METHODS),
        confidences=expand(
            "results/maps/{method}/{{tile}}_confidence.tif", method=METHODS
        ),
        clear_count="results/maps/clear_count/{tile}.tif",
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
    output:
        expand("results/accuracy/{method}/context/{{tile}}.parquet", method=METHODS),
    log:
        "logs/context/{tile}.log",
    benchmark:
        "results/benchmarks/context/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300 + 10 * TILE_MPX),
        runtime=minutes(10 + 0.6 * TILE_MPX),
    params:
        methods=METHODS,
        library=VERSION,
    message:
        "{wildcards.tile}: test pixels by border, clear days and confidence"
    script:
        "../scripts/context.py"


rule training_distances:
    input:
        polygons="results/reference/polygons.gpkg",
    output:
        "results/accuracy/training_distances.parquet",
    log:
        "logs/training_distances.log",
    benchmark:
        "results/benchmarks/training_distances.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(280 + 1.5 * ALL_MPX),
        runtime=minutes(10 + 0.1 * ALL_MPX),
    params:
        library=VERSION,
    message:
        "distance from each test polygon to the nearest training polygon"
    script:
        "../scripts/training_distances.py"


rule context_tables:
    input:
        **{
            method: expand(
                f"results/accuracy/{method}/context/{{tile}}.parquet", tile=TILES
            )
            for method in METHODS
        },
        distances="results/accuracy/training_distances.parquet",
    output:
        **CONTEXT_TABLES,
    log:
        "logs/context_tables.log",
    benchmark:
        "results/benchmarks/context_tables.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300 + 0.9 * ALL_MPX),
        runtime=minutes(10 + 0.1 * ALL_MPX),
    params:
        bootstrap_samples=SCORING["bootstrap_samples"],
        methods=METHODS,
        seed=config["seed"],
        library=VERSION,
    message:
        "accuracy by border, clear days and distance to the training; calibration of confidence"
    script:
        "../scripts/context_tables.py"


rule context_figures:
    input:
        **CONTEXT_TABLES,
    output:
        charts(CONTEXT_CHARTS, "Accuracy"),
    log:
        "logs/context_figures.log",
    benchmark:
        "results/benchmarks/context_figures.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300),
        runtime=minutes(15),
    params:
        classifier=config["forest"]["classifier"],
        methods=METHODS,
        library=VERSION,
    message:
        "drawing accuracy in context and the reliability of confidence"
    script:
        "../scripts/context_figures.py"
