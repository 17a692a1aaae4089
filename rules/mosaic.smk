rule mosaic:
    input:
        maps=expand("results/maps/{{method}}/{tile}_class.tif", tile=TILES),
        confidences=expand("results/maps/{{method}}/{tile}_confidence.tif", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        map="results/maps/{method}/mosaic_class.tif",
        table="results/maps/{method}/mosaic_class.tif.aux.xml",
        confidence="results/maps/{method}/mosaic_confidence.tif",
        overlap="results/maps/{method}/overlap.csv",
        pairs="results/maps/{method}/overlap_pairs.csv",
    log:
        "logs/mosaic/{method}.log",
    benchmark:
        "results/benchmarks/mosaic/{method}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(600),
        runtime=minutes(30 + 0.3 * ALL_MPX),
    params:
        tiles=TILES,
        crs=config["mapping"]["mosaic_crs"],
        resolution=config["mapping"]["mosaic_resolution"],
        library=VERSION,
    message:
        "{wildcards.method}: one mosaic of all tiles"
    script:
        "../scripts/mosaic.py"


use rule mosaic as mosaic_regularised with:
    input:
        maps=expand("results/maps/{{method}}/{tile}_regularised.tif", tile=TILES),
        confidences=expand("results/maps/{{method}}/{tile}_confidence.tif", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        map="results/maps/{method}/mosaic_regularised.tif",
        table="results/maps/{method}/mosaic_regularised.tif.aux.xml",
    log:
        "logs/mosaic_regularised/{method}.log",
    benchmark:
        "results/benchmarks/mosaic_regularised/{method}.tsv"
    message:
        "{wildcards.method}: one mosaic of all regularised tiles"
