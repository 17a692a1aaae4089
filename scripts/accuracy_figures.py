"""Draw how good the maps are, how the network learned, and what the forest decides by."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fgunet.files import read_json
from fgunet.logs import log_to
from fgunet.nomenclature import read_nomenclature
from fgunet.report import accuracy_charts
from fgunet.report.curve import learning_curves
from fgunet.report.importance import feature_importance
from fgunet.report.style import forest_named, save_charts
from fgunet.report.training_charts import training_history


def main(
    *,
    methods: Sequence[str],
    nomenclature: str,
    focus_group: str | None,
    path_to_summary: str,
    path_to_classes: str,
    paths_to_matrices: Mapping[str, str],
    path_to_history: str | None,
    path_to_forest: str | None,
    path_to_curve: str | None,
    paths_to_figures: Sequence[str],
) -> None:
    classes = read_nomenclature(nomenclature)
    tables = {method: pd.read_csv(path) for method, path in paths_to_matrices.items()}
    matrices = {m: table.drop(columns=["code", "name"]).to_numpy() for m, table in tables.items()}
    by_class = pd.read_csv(path_to_classes)
    drawn = {
        "kappa_by_tile": accuracy_charts.kappa_by_tile(pd.read_csv(path_to_summary), methods),
        "f_by_class": accuracy_charts.f_by_class(by_class, methods, classes, focus_group),
        "confusion_matrices": accuracy_charts.confusion_matrices(matrices, classes),
        "confusion_matrices_by_column": accuracy_charts.confusion_matrices(
            matrices, classes, by_column=True
        ),
    }
    if path_to_history:
        drawn["training_history"] = training_history(pd.read_csv(path_to_history))
    if path_to_forest:
        forest = read_json(path_to_forest)
        drawn["forest_importance"] = feature_importance(
            forest["feature_importances"], forest["dates"], forest["bands"]
        )
    if path_to_curve:
        drawn["learning_curve"] = learning_curves(pd.read_csv(path_to_curve), methods, focus_group)
    save_charts(drawn, paths_to_figures)


if __name__ == "__main__":
    log_to(snakemake.log[0])
    with forest_named(snakemake.params.classifier):
        main(
            methods=snakemake.params.methods,
            nomenclature=snakemake.input.nomenclature,
            focus_group=snakemake.params.focus_group,
            path_to_summary=snakemake.input.summary,
            path_to_classes=snakemake.input.classes,
            paths_to_matrices=dict(
                zip(snakemake.params.methods, snakemake.input.matrices, strict=True)
            ),
            path_to_history=snakemake.input.get("history"),
            path_to_forest=snakemake.input.get("forest"),
            path_to_curve=snakemake.input.get("curve"),
            paths_to_figures=list(snakemake.output),
        )
