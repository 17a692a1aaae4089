rule regularise:
    input:
        map="results/maps/{method}/{tile}_class.tif",
        nomenclature=NOMENCLATURE,
    output:
        map="results/maps/{method}/{tile}_regularised.tif",
        table="results/maps/{method}/{tile}_regularised.tif.aux.xml",
    log:
        "logs/regularise/{method}_{tile}.log",
    benchmark:
        "results/benchmarks/regularise/{method}_{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=120,
    params:
        filters=lambda wildcards: FILTERS[wildcards.method],
        library=VERSION,
    message:
        "{wildcards.tile}: filtering the map of {wildcards.method}"
    script:
        "../scripts/regularise.py"


# For the comparison: the same filter over the maps of all methods.
use rule regularise as majority with:
    output:
        map="results/maps/{method}/{tile}_majority.tif",
        table="results/maps/{method}/{tile}_majority.tif.aux.xml",
    log:
        "logs/majority/{method}_{tile}.log",
    benchmark:
        "results/benchmarks/majority/{method}_{tile}.tsv"
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        filters={
            "majority_radius": config["comparison"]["majority_radius"],
            "minimum_area_m2": 0,
            "protect": [],
        },
        library=VERSION,
    message:
        "{wildcards.tile}: majority filter over the map of {wildcards.method}"
