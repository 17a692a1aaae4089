rule classify_fgunet:
    input:
        series="results/series/{tile}.zarr",
        model="results/models/fgunet/model.keras",
        metadata="results/models/fgunet/metadata.json",
        nomenclature=NOMENCLATURE,
    output:
        **maps_in("results/maps/fgunet"),
    log:
        "logs/classify_fgunet/{tile}.log",
    benchmark:
        "results/benchmarks/classify_fgunet/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: THREADS_OF_A_TILE
    resources:
        mem_mb=memory(min(3000, 900 + 4000 * TILE_MPX)),
        runtime=minutes(30, shared=42 * TILE_MPX),
    params:
        windows={
            "core": config["mapping"]["window"],
            "overlap": config["mapping"]["overlap"],
        },
        precision=config["mapping"]["precision"],
        layers=LAYERS,
        calibrated=config["mapping"]["calibrated"],
        memory_mb=own_memory,
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
        **maps_in("results/maps/forest"),
    log:
        "logs/classify_forest/{tile}.log",
    benchmark:
        "results/benchmarks/classify_forest/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: THREADS_OF_A_TILE
    resources:
        mem_mb=memory(
            min(2000, 800 + 1500 * TILE_MPX) + 2 * megabytes_of_samples(SAMPLING)
        ),
        runtime=minutes(20, shared=10 * TILE_MPX),
    params:
        classifier=config["forest"]["classifier"],
        windows={"core": config["mapping"]["window"]},
        layers=LAYERS,
        calibrated=config["mapping"]["calibrated"],
        memory_mb=own_memory,
        library=VERSION,
    message:
        "{wildcards.tile}: classifying with the Random Forest"
    script:
        "../scripts/classify_forest.py"
