rule clear_count:
    input:
        series="results/series/{tile}.zarr",
    output:
        "results/maps/clear_count/{tile}.tif",
    log:
        "logs/clear_count/{tile}.log",
    benchmark:
        "results/benchmarks/clear_count/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(150 + 3.5 * TILE_MPX),
        runtime=minutes(10 + 0.2 * TILE_MPX),
    params:
        library=VERSION,
    message:
        "{wildcards.tile}: how many days each pixel was clear"
    script:
        "../scripts/clear_count.py"


# QGIS takes a style by itself that lies beside a raster and has its stem.
rule styles:
    input:
        nomenclature=NOMENCLATURE,
    output:
        map=[
            "results/maps/styles/class.qml",
            "results/maps/styles/class.sld",
            *expand("results/maps/{method}/mosaic_class.qml", method=METHODS),
            *expand(
                "results/maps/{method}/mosaic_regularised.qml", method=REGULARISED
            ),
        ],
        confidence=[
            "results/maps/styles/confidence.qml",
            "results/maps/styles/confidence.sld",
            *expand("results/maps/{method}/mosaic_confidence.qml", method=METHODS),
        ],
        clear_count=[
            "results/maps/styles/clear_count.qml",
            "results/maps/styles/clear_count.sld",
        ],
    log:
        "logs/styles.log",
    benchmark:
        "results/benchmarks/styles.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(150),
        runtime=minutes(5),
    params:
        library=VERSION,
    message:
        "styles of the maps for QGIS and map servers"
    script:
        "../scripts/styles.py"
