# What the report shows, and Snakemake's own: figures and tables, where each stands, what it is
# called. No rules here.

ACCURACY_CHARTS = [
    "kappa_by_tile",
    "f_by_class",
    "confusion_matrices",
    "confusion_matrices_by_column",
]
CONTEXT_CHARTS = ["accuracy_in_context", "reliability"]
AREA_CHARTS = ["areas"] if LABELLED else []
COMPARISON_CHARTS = [
    *(["differences"] if COMPARED else []),
    *(["urban_share"] if URBAN else []),
]
LEARNING_CHARTS = [
    *(["training_history"] if "fgunet" in METHODS else []),
    *(["forest_importance"] if "forest" in METHODS else []),
    *(["learning_curve"] if BUDGETS else []),
]
ACQUISITION_CHARTS = ["acquisitions", "clear_dates"]
REFERENCE_CHARTS = ["reference_polygons", "split_shares", "test_distances"]
CHARTS = [
    *ACCURACY_CHARTS,
    *CONTEXT_CHARTS,
    *AREA_CHARTS,
    *COMPARISON_CHARTS,
    *LEARNING_CHARTS,
    *ACQUISITION_CHARTS,
    *REFERENCE_CHARTS,
]

# Tables: in which files, under which category and title, and whether this run has them.
RUN_TABLES = {
    name: (category, title)
    for name, wanted, category, title in [
        (
            "study_methods",
            True,
            "Learning",
            "parameters and learning times, beside the study's",
        ),
        ("study_kappa", True, "Accuracy", "kappa by tile, method by method"),
        ("study_f_scores", True, "Accuracy", "F-score by class, method by method"),
        ("truth", SIMULATED, "Accuracy", "against the whole simulated truth"),
        ("models", True, "Learning", "what the models grew to"),
        ("acquisitions", True, "Data", "products of each tile"),
        ("products", True, "Data", "every product, used or not"),
        ("gaps", True, "Data", "how often the ground was seen"),
        ("left_out", True, "Data", "what was left out"),
        ("reference_classes", True, "Reference", "classes of the reference"),
        ("sources", True, "Reference", "what each source gave"),
        ("sources_left_out", True, "Reference", "what was left out of each source"),
        ("steps", True, "Reference", "from step to step"),
        ("contradictions", True, "Reference", "where sources overlap"),
        ("leakage", True, "Reference", "checks that nothing leaks"),
    ]
    if wanted
}
ACCURACY_TABLES = {
    name: (category, title)
    for name, wanted, category, title in [
        ("summary", True, "Accuracy", "kappa and F-scores by tile"),
        ("classes", True, "Accuracy", "F-score by class and tile"),
        ("regularised", REGULARISED, "Accuracy", "the regularised maps"),
        ("areas", LABELLED, "Accuracy", "class areas and accuracy by area"),
        ("context", True, "Accuracy", "accuracy by border, clear days and training"),
        ("context_changes", True, "Accuracy", "how accuracy changes in context"),
        ("reliability", True, "Accuracy", "how often confidence is right"),
        ("calibration", True, "Accuracy", "calibration error of confidence"),
        ("comparison", COMPARED, "Comparison", "the methods by tile and class"),
        ("regularisation", SMOOTHED, "Comparison", "with the same regularisation"),
        ("urban_share", URBAN, "Comparison", f"kappa by {FOCUS_GROUP} share"),
        ("split_gap", BLOCK_RUN, "Comparison", "split by polygon, split by block"),
        ("learning_time", True, "Learning", "learning time"),
        ("learning_curve", BUDGETS, "Learning", "learning curve"),
        ("labels", COMPARED, "Learning", "what each method learned from"),
    ]
    if wanted
}
CONFUSION_TABLES = {
    f"confusion_{method}": ("Accuracy", f"what is taken for what, {method}")
    for method in METHODS
}
OVERLAP_TABLES = {
    f"overlap_{method}": ("Maps", f"where tiles overlap, {method}")
    for method in METHODS
}
PROVENANCE_TABLES = {
    "provenance": ("Report", "what the run was made with"),
    "rules": ("Report", "what each rule took"),
}
TABLE_FILES = {
    **{name: f"results/tables/{name}.csv" for name in RUN_TABLES},
    **{name: f"results/accuracy/{name}.csv" for name in ACCURACY_TABLES},
    **{
        f"confusion_{method}": f"results/accuracy/{method}/confusion.csv"
        for method in METHODS
    },
    **{f"overlap_{method}": f"results/maps/{method}/overlap.csv" for method in METHODS},
    **{name: f"results/tables/{name}.csv" for name in PROVENANCE_TABLES},
}
TABLE_TITLES = {
    **RUN_TABLES,
    **ACCURACY_TABLES,
    **CONFUSION_TABLES,
    **OVERLAP_TABLES,
    **PROVENANCE_TABLES,
}
# One caption for the tables of all methods, and another one where a figure has the table's name.
TABLE_CAPTIONS = {
    **{name: "confusion" for name in CONFUSION_TABLES},
    **{name: "overlap" for name in OVERLAP_TABLES},
    "acquisitions": "acquisition_counts",
    "gaps": "gap_percentiles",
    "areas": "class_areas",
    "urban_share": "urban_share_table",
}


def chart(name, category):
    """A figure of the run, as an output that Snakemake's own report shows too."""
    return report(
        f"results/figures/{name}",
        caption=f"captions/{Path(name).stem}.rst",
        category=category,
        subcategory="Figures",
        labels={"figure": Path(name).stem.replace("_", " ")},
    )


def charts(names, category):
    """Figures of the run as SVG, which Snakemake's own report shows too, and as PNG."""
    shown = [chart(f"{name}.svg", category) for name in names]
    return [*shown, *(f"results/figures/{name}.png" for name in names)]


def caption_of(table):
    """Name of the file, beside those of the figures, that says what a table shows."""
    return f"captions/{TABLE_CAPTIONS.get(table, table)}.rst"


def table_page(name):
    """The page of a table, as an output that Snakemake's own report shows."""
    category, title = TABLE_TITLES[name]
    return report(
        f"results/tables/{name}.html",
        caption=caption_of(name),
        category=category,
        subcategory="Tables",
        labels={"table": title},
    )


def tables_of_accuracy(*names):
    """Those of the tables that this run has, as inputs of their names."""
    return {name: TABLE_FILES[name] for name in names if name in ACCURACY_TABLES}
