# A world that never was, in the files of the real one. Only where the configuration names it.

SIMULATION = config["simulation"]
# Millions of pixels of all its tiles, mapped or not.
WORLD_MPX = TILE_MPX * len(SIMULATION["tiles"])
DATABASES = ["clc", "urban_atlas", "rpg", "bdtopo", "rgi"]


rule simulate_world:
    output:
        directory("simulated/world"),
    log:
        "logs/simulate_world.log",
    benchmark:
        "results/benchmarks/simulate_world.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(350 + 50 * WORLD_MPX),
        runtime=minutes(10 + 20 * WORLD_MPX),
    params:
        # All tiles, not only those that are mapped: the ground is what it is.
        tiles=SIMULATION["tiles"],
        tile_size=SIMULATION["tile_size"],
        seed=SIMULATION["seed"],
        library=VERSION,
    message:
        "simulating the ground"
    script:
        "../scripts/simulate_world.py"


rule simulate_products:
    input:
        world="simulated/world",
    output:
        products=directory("simulated/products/{tile}"),
        truth="simulated/truth/{tile}.tif",
    log:
        "logs/simulate_products/{tile}.log",
    benchmark:
        "results/benchmarks/simulate_products/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(320 + 700 * TILE_MPX),
        runtime=minutes(10 + 100 * TILE_MPX),
    params:
        placement=lambda wildcards: SIMULATION["tiles"][wildcards.tile],
        tile_size=SIMULATION["tile_size"],
        acquisitions=SIMULATION["acquisitions"],
        seed=SIMULATION["seed"],
        library=VERSION,
    message:
        "{wildcards.tile}: simulating a year of Sentinel-2 products"
    script:
        "../scripts/simulate_products.py"


rule simulate_databases:
    input:
        world="simulated/world",
    output:
        **{name: f"simulated/reference/{name}.gpkg" for name in DATABASES},
    log:
        "logs/simulate_databases.log",
    benchmark:
        "results/benchmarks/simulate_databases.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(330 + 100 * WORLD_MPX),
        runtime=minutes(10 + 20 * WORLD_MPX),
    params:
        seed=SIMULATION["seed"],
        library=VERSION,
    message:
        "simulating the five reference databases"
    script:
        "../scripts/simulate_databases.py"


rule truth_confusion:
    input:
        map="results/maps/{method}/{tile}_class.tif",
        truth="simulated/truth/{tile}.tif",
        nomenclature=NOMENCLATURE,
    output:
        "results/truth/{method}/{tile}.json",
    log:
        "logs/truth_confusion/{method}_{tile}.log",
    benchmark:
        "results/benchmarks/truth_confusion/{method}_{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(200 + TILE_MPX),
        runtime=minutes(10 + 0.1 * TILE_MPX),
    params:
        library=VERSION,
    message:
        "{wildcards.tile}: {wildcards.method} against the full truth"
    script:
        "../scripts/truth_confusion.py"


rule label_sample:
    input:
        points="results/sample/points.gpkg",
        truth=expand("simulated/truth/{tile}.tif", tile=TILES),
    output:
        "results/sample/labelled.gpkg",
    log:
        "logs/label_sample.log",
    benchmark:
        "results/benchmarks/label_sample.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300),
        runtime=minutes(10 + len(TILES)),
    params:
        library=VERSION,
    message:
        "filling in the sample from the truth"
    script:
        "../scripts/label_sample.py"
