MODELS = {
    "fgunet": "results/models/fgunet/model.keras",
    "forest": "results/models/forest/forest.skops",
}


# One job for all tiles: it reads no more than the headers of their maps.
rule stac:
    input:
        maps=[
            f"results/maps/{method}/{tile}_{product}"
            for tile in TILES
            for method in METHODS
            for product in ends_of_products(method)
        ],
        clear_counts=expand("results/maps/clear_count/{tile}.tif", tile=TILES),
        sheets=expand("results/figures/tiles/{tile}.png", tile=TILES),
        mosaics=[
            *expand(
                "results/maps/{method}/mosaic_{product}.tif",
                method=METHODS,
                product=["class", "confidence"],
            ),
            *expand(
                "results/maps/{method}/mosaic_regularised.tif", method=REGULARISED
            ),
        ],
        overlaps=expand("results/maps/{method}/overlap.csv", method=METHODS),
        models=[MODELS[method] for method in METHODS],
        metadata=expand("results/models/{method}/metadata.json", method=METHODS),
        styles=expand(
            "results/maps/styles/{style}.{kind}",
            style=["class", "confidence", "clear_count"],
            kind=["qml", "sld"],
        ),
        report="results/report.html",
        nomenclature=NOMENCLATURE,
    output:
        collection="results/stac/collection.json",
        tiles=expand("results/stac/{tile}/{tile}.json", tile=TILES),
        models=expand("results/stac/model_{method}/model_{method}.json", method=METHODS),
    log:
        "logs/stac.log",
    benchmark:
        "results/benchmarks/stac.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(250 + 0.2 * len(TILES)),
        runtime=minutes(10 + len(TILES)),
    params:
        classifier=config["forest"]["classifier"],
        title=config["title"],
        tiles=TILES,
        methods=METHODS,
        dates=DATES,
        library=VERSION,
    message:
        "describing all maps in a STAC collection"
    script:
        "../scripts/stac.py"
