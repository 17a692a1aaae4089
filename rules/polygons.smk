rule polygons:
    input:
        map=map_to_polygonise,
        confidence="results/maps/{method}/{tile}_confidence.tif",
        nomenclature=NOMENCLATURE,
    output:
        "results/maps/{method}/{tile}_polygons.gpkg",
    log:
        "logs/polygons/{method}_{tile}.log",
    benchmark:
        "results/benchmarks/polygons/{method}_{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(480 + 5 * TILE_MPX),
        runtime=minutes(20 + 2 * TILE_MPX),
    params:
        minimum_area_m2=config["mapping"]["polygon_minimum_m2"],
        protect=lambda wildcards: FILTERS[wildcards.method]["protect"],
        library=VERSION,
    message:
        "{wildcards.tile}: polygons of the map of {wildcards.method}"
    script:
        "../scripts/polygons.py"
