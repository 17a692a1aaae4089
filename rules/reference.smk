rule fuse_reference:
    input:
        sources=sorted({file for s in SOURCES for file in files_of_source(s["path"])}),
        translations=sorted({s["translation"] for s in SOURCES if s["translation"]}),
        nomenclature=ancient(NOMENCLATURE),
        grids=expand("results/grids/{tile}.json", tile=TILES),
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
        mem_mb=memory(300 + 3.5 * ALL_MPX),
        runtime=minutes(10 + 0.3 * ALL_MPX),
    params:
        sources=SOURCES,
        crs=config["reference"]["crs"],
        minimum_area_m2=config["reference"]["minimum_area_m2"],
        minimum_share=config["reference"]["minimum_share"],
        square_m=config["split"]["square_m"],
        leave_out_scarce=config["split"]["leave_out_scarce"],
        merge=config["split"]["merge"],
        classes=CLASSES,
        library=VERSION,
    message:
        "fusing the reference sources"
    script:
        "../scripts/fuse_reference.py"


rule split_reference:
    input:
        fused="results/reference/fused.gpkg",
        grids=expand("results/grids/{tile}.json", tile=TILES),
        nomenclature=ancient(NOMENCLATURE),
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
        mem_mb=memory(300 + 2.5 * ALL_MPX),
        runtime=minutes(10 + 0.03 * ALL_MPX),
    params:
        # Together: of single numbers Snakemake would not see that two changed places.
        settings={**config["split"], "seed": config["seed"]},
        classes=CLASSES,
        library=VERSION,
    message:
        "splitting the polygons into training, validation and test"
    script:
        "../scripts/split_reference.py"


rule rasterise_reference:
    input:
        polygons="results/reference/polygons.gpkg",
        grid="results/grids/{tile}.json",
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
        mem_mb=memory(280 + 3.5 * TILE_MPX),
        runtime=minutes(10 + 0.1 * TILE_MPX),
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
        mem_mb=memory(280 + 5 * TILE_MPX),
        runtime=minutes(10 + 0.1 * TILE_MPX),
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
        nomenclature=ancient(NOMENCLATURE),
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
        mem_mb=memory(320 + 2 * ALL_MPX),
        runtime=minutes(10 + 0.1 * ALL_MPX),
    params:
        tiles=TILES,
        classes=CLASSES,
        library=VERSION,
    message:
        "auditing the reference"
    script:
        "../scripts/audit_reference.py"
