HISTORY = (
    {"history": "results/models/fgunet/history.csv"} if "fgunet" in METHODS else {}
)
FOREST = (
    {"forest": "results/models/forest/metadata.json"} if "forest" in METHODS else {}
)
# What the page tells only where the run has it.
OPTIONAL_DOCUMENTS = {
    name: f"results/accuracy/{file}.json"
    for name, file, wanted in [
        ("regularisation_comparison", "regularisation", SMOOTHED),
        ("window_effect", "window_effect", STUDY_WINDOWS),
        ("urban_slope", "urban_slope", URBAN),
        ("areas_summary", "areas", LABELLED),
    ]
    if wanted
}


rule tile_sheet:
    input:
        series="results/series/{tile}.zarr",
        code="results/reference/{tile}_code.tif",
        split="results/reference/{tile}_split.tif",
        maps=expand("results/maps/{method}/{{tile}}_class.tif", method=METHODS),
        confidences=expand(
            "results/maps/{method}/{{tile}}_confidence.tif", method=METHODS
        ),
        regularised=expand(
            "results/maps/{method}/{{tile}}_regularised.tif", method=REGULARISED
        ),
        nomenclature=NOMENCLATURE,
    output:
        sheet=report(
            "results/figures/tiles/{tile}.png",
            caption="captions/tile_sheet.rst",
            category="Maps",
            subcategory="Sheets of the tiles",
            labels={"tile": "{tile}"},
        ),
        gaps=report(
            "results/figures/gaps/{tile}.png",
            caption="captions/gaps.rst",
            category="Data",
            subcategory="Gaps of the tiles",
            labels={"tile": "{tile}"},
        ),
        view="results/figures/viewer/{tile}.json",
        facts="results/figures/tiles/{tile}.json",
    log:
        "logs/tile_sheet/{tile}.log",
    benchmark:
        "results/benchmarks/tile_sheet/{tile}.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(280 + 6 * TILE_MPX),
        runtime=minutes(10 + TILE_MPX),
    params:
        classifier=config["forest"]["classifier"],
        methods=METHODS,
        regularised=REGULARISED,
        library=VERSION,
    message:
        "{wildcards.tile}: drawing its sheet and its gaps"
    script:
        "../scripts/tile_sheet.py"


rule accuracy_figures:
    input:
        **HISTORY,
        **FOREST,
        **({"curve": "results/accuracy/learning_curve.csv"} if BUDGETS else {}),
        summary="results/accuracy/summary.csv",
        classes="results/accuracy/classes.csv",
        matrices=expand("results/accuracy/{method}/confusion.csv", method=METHODS),
        nomenclature=NOMENCLATURE,
    output:
        charts(ACCURACY_CHARTS, "Accuracy"),
        charts(LEARNING_CHARTS, "Learning"),
    log:
        "logs/accuracy_figures.log",
    benchmark:
        "results/benchmarks/accuracy_figures.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(300),
        runtime=minutes(15),
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
        charts(ACQUISITION_CHARTS, "Data"),
        charts(REFERENCE_CHARTS, "Reference"),
        chart("location.png", "Maps"),
        "results/figures/location.svg",
    log:
        "logs/data_figures.log",
    benchmark:
        "results/benchmarks/data_figures.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(320 + len(TILES)),
        runtime=minutes(15 + 0.1 * len(TILES)),
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
        **OPTIONAL_DOCUMENTS,
        **tables_of_accuracy(
            "summary",
            "classes",
            "regularised",
            "regularisation",
            "labels",
            "learning_time",
            "urban_share",
            "split_gap",
            "areas",
            "context",
            "context_changes",
            "reliability",
        ),
        confidence="results/accuracy/calibration.csv",
        comparison="results/accuracy/comparison.json",
        differences="results/accuracy/comparison.csv",
        left_out="results/tables/left_out.csv",
        provenance="results/tables/provenance.csv",
        rule_costs="results/tables/rules.csv",
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
        views=expand("results/figures/viewer/{tile}.json", tile=TILES),
        gaps=expand("results/figures/gaps/{tile}.png", tile=TILES),
        facts=expand("results/figures/tiles/{tile}.json", tile=TILES),
        nomenclature=NOMENCLATURE,
    output:
        report(
            "results/report.html",
            caption="captions/report.rst",
            category="Report",
            subcategory="Page",
            labels={"page": "the report of the run"},
        ),
    log:
        "logs/report.log",
    benchmark:
        "results/benchmarks/report.tsv"
    conda:
        "../envs/fgunet.yaml"
    threads: 1
    resources:
        mem_mb=memory(340 + len(TILES)),
        runtime=minutes(10 + 0.1 * len(TILES)),
    params:
        classifier=config["forest"]["classifier"],
        configuration=config,
        methods=METHODS,
        most_tiles=12,
        library=VERSION,
    message:
        "writing the report"
    script:
        "../scripts/report.py"


include: "tables.smk"
