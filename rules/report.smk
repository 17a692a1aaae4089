HISTORY = (
    {"history": "results/models/fgunet/history.csv"} if "fgunet" in METHODS else {}
)
FOREST = (
    {"forest": "results/models/forest/metadata.json"} if "forest" in METHODS else {}
)
CURVE = {"curve": "results/accuracy/learning_curve.csv"} if BUDGETS else {}
LABELS = {"labels": "results/accuracy/labels.csv"} if len(METHODS) > 1 else {}
REGULARISATION = (
    {
        "regularisation": "results/accuracy/regularisation.csv",
        "regularisation_comparison": "results/accuracy/regularisation.json",
    }
    if config["comparison"]["majority_radius"] and len(METHODS) > 1
    else {}
)
REGULARISED_SCORES = (
    {"regularised": "results/accuracy/regularised.csv"} if REGULARISED else {}
)
WINDOW_EFFECT = (
    {"window_effect": "results/accuracy/window_effect.json"} if STUDY_WINDOWS else {}
)
ACCURACY_CHARTS = ["kappa_by_tile", "f_by_class", "confusion_matrices"]
LEARNING_CHARTS = [
    *(["training_history"] if HISTORY else []),
    *(["forest_importance"] if FOREST else []),
    *(["learning_curve"] if CURVE else []),
]
DATA_CHARTS = [
    "acquisitions",
    "clear_dates",
    "reference_polygons",
    "split_shares",
    "test_distances",
]
CHARTS = [*ACCURACY_CHARTS, *LEARNING_CHARTS, *DATA_CHARTS]


rule tile_sheet:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        split="results/reference/{tile}_split.tif",
        maps=expand("results/maps/{method}/{{tile}}_class.tif", method=METHODS),
        confidences=expand(
            "results/maps/{method}/{{tile}}_confidence.tif", method=METHODS
        ),
        nomenclature=NOMENCLATURE,
    output:
        sheet=report(
            "results/figures/tiles/{tile}.png",
            caption="captions/tile_sheet.rst",
            category="Maps",
            labels={"tile": "{tile}"},
        ),
        gaps=report(
            "results/figures/gaps/{tile}.png",
            caption="captions/gaps.rst",
            category="Data",
            labels={"tile": "{tile}"},
        ),
        facts="results/figures/tiles/{tile}.json",
    log:
        "logs/tile_sheet/{tile}.log",
    benchmark:
        "results/benchmarks/tile_sheet/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        classifier=config["forest"]["classifier"],
        methods=METHODS,
        library=VERSION,
    message:
        "{wildcards.tile}: drawing its sheet and its gaps"
    script:
        "../scripts/tile_sheet.py"


rule accuracy_figures:
    input:
        **HISTORY,
        **FOREST,
        **CURVE,
        summary="results/accuracy/summary.csv",
        classes="results/accuracy/classes.csv",
        pooled=expand("results/accuracy/{method}/_pooled.json", method=METHODS),
        nomenclature=NOMENCLATURE,
    output:
        **{name: chart(f"{name}.svg", "Accuracy") for name in ACCURACY_CHARTS},
        **{name: chart(f"{name}.svg", "Learning") for name in LEARNING_CHARTS},
    log:
        "logs/accuracy_figures.log",
    benchmark:
        "results/benchmarks/accuracy_figures.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        classifier=config["forest"]["classifier"],
        methods=METHODS,
        focus_group=config["accuracy"]["focus_group"],
        library=VERSION,
    message:
        "drawing the figures of accuracy and learning"
    script:
        "../scripts/accuracy_figures.py"


rule data_figures:
    input:
        audit="results/reference/audit.json",
        acquisitions=expand("results/acquisitions/{tile}.json", tile=TILES),
        facts=expand("results/figures/tiles/{tile}.json", tile=TILES),
        maps=expand(f"results/maps/{METHODS[0]}/{{tile}}_class.tif", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        **{name: chart(f"{name}.svg", "Data") for name in DATA_CHARTS},
        location=chart("location.png", "Maps"),
    log:
        "logs/data_figures.log",
    benchmark:
        "results/benchmarks/data_figures.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(2000),
        runtime=30,
    params:
        tiles=TILES,
        dates=DATES,
        mosaic_crs=config["mapping"]["mosaic_crs"],
        library=VERSION,
    message:
        "drawing the figures of the data"
    script:
        "../scripts/data_figures.py"


rule report:
    input:
        **LABELS,
        **REGULARISATION,
        **REGULARISED_SCORES,
        **WINDOW_EFFECT,
        summary="results/accuracy/summary.csv",
        classes="results/accuracy/classes.csv",
        comparison="results/accuracy/comparison.json",
        learning_time="results/accuracy/learning_time.csv",
        overlap=expand("results/maps/{method}/overlap.csv", method=METHODS),
        overlap_pairs=expand("results/maps/{method}/overlap_pairs.csv", method=METHODS),
        mappings=expand(
            "results/maps/{method}/{tile}_mapping.json", method=METHODS, tile=TILES
        ),
        audit="results/reference/audit.json",
        metadata=expand("results/models/{method}/metadata.json", method=METHODS),
        acquisitions=expand("results/acquisitions/{tile}.json", tile=TILES),
        truth=(
            expand("results/truth/{method}/{tile}.json", method=METHODS, tile=TILES)
            if SIMULATED
            else []
        ),
        figures=[
            *(f"results/figures/{name}.svg" for name in CHARTS),
            "results/figures/location.png",
        ],
        sheets=expand("results/figures/tiles/{tile}.png", tile=TILES),
        gaps=expand("results/figures/gaps/{tile}.png", tile=TILES),
        facts=expand("results/figures/tiles/{tile}.json", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        report(
            "results/report.html",
            caption="captions/report.rst",
            category="Report",
        ),
    log:
        "logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(1000),
        runtime=30,
    params:
        classifier=config["forest"]["classifier"],
        configuration=config,
        methods=METHODS,
        sheets=12,
        library=VERSION,
    message:
        "writing the report"
    script:
        "../scripts/report.py"
