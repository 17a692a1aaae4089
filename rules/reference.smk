rule fuse_reference:
    message:
        "fusing the reference sources"
    input:
        sources=sorted({source["path"] for source in config["reference"]["sources"]}),
        translations=sorted({s["translation"] for s in sources() if s["translation"]}),
        nomenclature=NOMENCLATURE,
        acquisitions=expand("results/acquisitions/{tile}.json", tile=TILES),
    output:
        fused="results/reference/fused.gpkg",
        fusion="results/reference/fusion.json",
    log:
        "logs/fuse_reference.log",
    benchmark:
        "results/benchmarks/fuse_reference.tsv"
    params:
        sources=sources(),
        crs=config["reference"]["crs"],
        minimum_area_m2=config["reference"]["minimum_area_m2"],
        minimum_share=config["reference"]["minimum_share"],
        library=VERSION,
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=240,
    conda:
        "../envs/fgunet.yaml"
    script:
        "../scripts/fuse_reference.py"


rule split_reference:
    message:
        "splitting the polygons into training, validation and test"
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
    params:
        **config["split"],
        seed=config["seed"],
        library=VERSION,
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    conda:
        "../envs/fgunet.yaml"
    script:
        "../scripts/split_reference.py"


rule rasterise_reference:
    message:
        "{wildcards.tile}: rasterising the reference"
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
    params:
        library=VERSION,
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=60,
    conda:
        "../envs/fgunet.yaml"
    script:
        "../scripts/rasterise_reference.py"
