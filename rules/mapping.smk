rule classify_fgunet:
    input:
        series="results/series/{tile}.zarr",
        model="results/models/fgunet/model.keras",
        metadata="results/models/fgunet/metadata.json",
        nomenclature=NOMENCLATURE,
    output:
        map="results/maps/fgunet/{tile}_class.tif",
        confidence="results/maps/fgunet/{tile}_confidence.tif",
    log:
        "logs/classify_fgunet/{tile}.log",
    benchmark:
        "results/benchmarks/classify_fgunet/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(3000),
        runtime=480,
    params:
        window=config["mapping"]["window"],
        library=VERSION,
    message:
        "{wildcards.tile}: classifying with FG-UNET"
    script:
        "../scripts/classify_fgunet.py"


rule classify_forest:
    input:
        series="results/series/{tile}.zarr",
        model="results/models/forest/forest.skops",
        metadata="results/models/forest/metadata.json",
        nomenclature=NOMENCLATURE,
    output:
        map="results/maps/forest/{tile}_class.tif",
        confidence="results/maps/forest/{tile}_confidence.tif",
    log:
        "logs/classify_forest/{tile}.log",
    benchmark:
        "results/benchmarks/classify_forest/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=480,
    params:
        classifier=config["forest"]["classifier"],
        window=config["mapping"]["window"],
        library=VERSION,
    message:
        "{wildcards.tile}: classifying with the Random Forest"
    script:
        "../scripts/classify_forest.py"


rule regularise:
    input:
        map="results/maps/{method}/{tile}_class.tif",
        nomenclature=NOMENCLATURE,
    output:
        "results/maps/{method}/{tile}_majority.tif",
    log:
        "logs/regularise/{method}_{tile}.log",
    benchmark:
        "results/benchmarks/regularise/{method}_{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        radius=config["comparison"]["majority_radius"],
        library=VERSION,
    message:
        "{wildcards.tile}: majority filter over the map of {wildcards.method}"
    script:
        "../scripts/regularise.py"


rule mosaic:
    input:
        maps=expand("results/maps/{{method}}/{tile}_class.tif", tile=TILES),
        confidences=expand("results/maps/{{method}}/{tile}_confidence.tif", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        map="results/maps/{method}/mosaic_class.tif",
        overlap="results/maps/{method}/overlap.json",
    log:
        "logs/mosaic/{method}.log",
    benchmark:
        "results/benchmarks/mosaic/{method}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=480,
    params:
        crs=config["mapping"]["mosaic_crs"],
        resolution=config["mapping"]["mosaic_resolution"],
        library=VERSION,
    message:
        "{wildcards.method}: one mosaic of all tiles"
    script:
        "../scripts/mosaic.py"
