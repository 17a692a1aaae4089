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
    threads: 2
    resources:
        mem_mb=memory(6000),
        runtime=240,
    params:
        sources=SOURCES,
        crs=config["reference"]["crs"],
        minimum_area_m2=config["reference"]["minimum_area_m2"],
        minimum_share=config["reference"]["minimum_share"],
        square_m=config["split"]["square_m"],
        leave_out_scarce=config["split"]["leave_out_scarce"],
        merge=config["split"]["merge"],
        library=VERSION,
    message:
        "fusing the reference sources"
    script:
        "../scripts/fuse_reference.py"


rule split_reference:
    input:
        fused="results/reference/fused.gpkg",
        acquisitions=expand("results/acquisitions/{tile}.json", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        polygons="results/reference/polygons.gpkg",
        split="results/reference/split.json",
    log:
        "logs/split_reference.log",
    benchmark:
        "results/benchmarks/split_reference.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=60,
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


rule audit_tile:
    input:
        polygons="results/reference/polygons.gpkg",
        code="results/reference/{tile}_code.tif",
        polygon="results/reference/{tile}_polygon.tif",
        split="results/reference/{tile}_split.tif",
    output:
        "results/reference/{tile}_audit.json",
    log:
        "logs/audit_tile/{tile}.log",
    benchmark:
        "results/benchmarks/audit_tile/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(1500),
        runtime=60,
    params:
        patch_size=config["fgunet"]["patch_size"],
        jitter=config["fgunet"]["jitter"],
        library=VERSION,
    message:
        "{wildcards.tile}: looking for leaks between training and test"
    script:
        "../scripts/audit_tile.py"


rule audit_reference:
    input:
        fusion="results/reference/fusion.json",
        split="results/reference/split.json",
        polygons="results/reference/polygons.gpkg",
        tiles=expand("results/reference/{tile}_audit.json", tile=TILES),
        splits=expand("results/reference/{tile}_split.tif", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        "results/reference/audit.json",
    log:
        "logs/audit_reference.log",
    benchmark:
        "results/benchmarks/audit_reference.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(4000),
        runtime=60,
    params:
        tiles=TILES,
        library=VERSION,
    message:
        "auditing the reference"
    script:
        "../scripts/audit_reference.py"
