rule fuse_reference:
    input:
        sources=sorted({source["path"] for source in SOURCES}),
        translations=sorted({s["translation"] for s in SOURCES if s["translation"]}),
        nomenclature=NOMENCLATURE,
        acquisitions=expand("results/acquisitions/{tile}.json", tile=TILES),
    output:
        fused="results/reference/fused.gpkg",
        fusion="results/reference/fusion.json",
    log:
        "logs/fuse_reference.log",
    benchmark:
        "results/benchmarks/fuse_reference.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=240,
    params:
        sources=SOURCES,
        crs=config["reference"]["crs"],
        minimum_area_m2=config["reference"]["minimum_area_m2"],
        minimum_share=config["reference"]["minimum_share"],
        library=VERSION,
    message:
        "fusing the reference sources"
    script:
        "../scripts/fuse_reference.py"


rule split_reference:
    input:
        fused="results/reference/fused.gpkg",
        fusion="results/reference/fusion.json",
        nomenclature=NOMENCLATURE,
    output:
        polygons="results/reference/polygons.gpkg",
        audit="results/reference/audit.json",
    log:
        "logs/split_reference.log",
    benchmark:
        "results/benchmarks/split_reference.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        **config["split"],
        seed=config["seed"],
        library=VERSION,
    message:
        "splitting the polygons into training, validation and test"
    script:
        "../scripts/split_reference.py"


rule rasterise_reference:
    input:
        polygons="results/reference/polygons.gpkg",
        acquisitions="results/acquisitions/{tile}.json",
        checked=ancient("results/inputs_checked.json"),
    output:
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
    log:
        "logs/rasterise_reference/{tile}.log",
    benchmark:
        "results/benchmarks/rasterise_reference/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=60,
    params:
        library=VERSION,
    message:
        "{wildcards.tile}: rasterising the reference"
    script:
        "../scripts/rasterise_reference.py"
