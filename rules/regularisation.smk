rule regularise:
    input:
        maps=["results/maps/{method}/{tile}_class.tif"],
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
        nomenclature=NOMENCLATURE,
    output:
        maps=["results/maps/{method}/{tile}_regularised.tif"],
        table="results/maps/{method}/{tile}_regularised.tif.aux.xml",
        confusions=["results/accuracy/{method}/regularised/{tile}.json"],
    log:
        "logs/regularise/{method}_{tile}.log",
    benchmark:
        "results/benchmarks/regularise/{method}_{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300 + 4 * TILE_MPX),
        runtime=minutes(10 + 0.2 * TILE_MPX),
    params:
        filters=lambda wildcards: FILTERS[wildcards.method],
        methods=["{method}"],
        library=VERSION,
    message:
        "{wildcards.tile}: filtering the map of {wildcards.method}, against the test polygons"
    script:
        "../scripts/regularise.py"


# For the comparison: the same filter over the maps of all methods.
use rule regularise as majority with:
    input:
        maps=expand("results/maps/{method}/{{tile}}_class.tif", method=METHODS),
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
        nomenclature=NOMENCLATURE,
    output:
        maps=expand("results/maps/{method}/{{tile}}_majority.tif", method=METHODS),
        tables=expand(
            "results/maps/{method}/{{tile}}_majority.tif.aux.xml", method=METHODS
        ),
        confusions=expand(
            "results/accuracy/{method}/majority/{{tile}}.json", method=METHODS
        ),
    log:
        "logs/majority/{tile}.log",
    benchmark:
        "results/benchmarks/majority/{tile}.tsv"
    resources:
        mem_mb=memory(300 + 4 * TILE_MPX),
        runtime=minutes(10 + 0.2 * TILE_MPX),
    params:
        filters={
            "majority_radius": config["comparison"]["majority_radius"],
            "minimum_area_m2": 0,
            "protect": [],
        },
        methods=METHODS,
        library=VERSION,
    message:
        "{wildcards.tile}: majority filter over the maps, against the test polygons"
