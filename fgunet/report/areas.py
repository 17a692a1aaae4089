"""What a probability sample tells: class areas, and accuracy by area."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fgunet.nomenclature import Nomenclature
from fgunet.report.style import method_label
from fgunet.report.wording import decimals, is_defined, signed, span, whole

_COMMAND = "snakemake -c1 results/sample/points.gpkg"
_SCORES = ("users", "producers")


def areas_section(
    table: pd.DataFrame,
    summary: Mapping[str, Any],
    methods: Sequence[str],
    nomenclature: Nomenclature,
    *,
    simulated: bool,
) -> dict[str, Any]:
    """What is told of a sample, or how to draw one where there is none.

    Parameters
    ----------
    table : pandas.DataFrame
        As `fgunet.accuracy.areas.summarise` makes it; empty where there is no sample.
    summary : mapping
        Its summary, with drawn and unlabelled (points), crs and keeps_areas.
    methods : sequence of str
        Methods of the run.
    nomenclature : Nomenclature
        Classes.
    simulated : bool
        Whether the truth of a simulated world has filled in the points.

    Returns
    -------
    dict
        Without sample only command, how to draw one. Else statement, difference and notes
        (sentences; the second may be empty), total and rows: name, colour, mapped (texts, one a
        method), area (value, interval), points and, one a method, scores (value, interval of
        user's and producer's accuracy; in the total, of overall accuracy).
    """
    if table.empty:
        return {"command": _COMMAND}
    by_method = {method: table[table["method"] == method].set_index("code") for method in methods}
    return {
        "statement": _statement(summary, simulated=simulated),
        "difference": _difference(summary.get("difference"), methods),
        "notes": _notes(summary),
        "rows": [
            _row(one.name, one.hexadecimal, one.code, by_method)
            for one in nomenclature.classes
            if (table["code"] == one.code).any()
        ],
        "total": {
            "name": "all classes",
            "mapped": [_hectares(own["mapped_area_ha"].sum()) for own in by_method.values()],
            "area": {"value": _hectares(summary["area_ha"]), "interval": ""},
            "points": whole(summary["points"]),
            "scores": [_cell(summary["methods"][name], "overall_accuracy") for name in methods],
        },
    }


def _row(
    name: str, colour: str, code: int, by_method: Mapping[str, pd.DataFrame]
) -> dict[str, Any]:
    own: list[dict[Any, Any]] = [
        table.loc[[code]].to_dict("records")[0] if code in table.index else {}
        for table in by_method.values()
    ]
    # What was seen does not depend on the map that is judged.
    seen = next(row for row in own if row)
    return {
        "name": name,
        "colour": colour,
        "mapped": [_hectares(row.get("mapped_area_ha", 0)) for row in own],
        "area": {
            "value": _hectares(seen["area_ha"]),
            "interval": _between(seen["area_ha_lower"], seen["area_ha_upper"]),
        },
        "points": whole(seen["points"]),
        "scores": [[_cell(row, score) for score in _SCORES] for row in own],
    }


def _cell(row: Mapping[Any, Any], score: str) -> dict[str, str]:
    bounds = row.get(f"{score}_lower"), row.get(f"{score}_upper")
    return {"value": decimals(row.get(score)), "interval": span(*bounds)}


def _hectares(area: Any) -> str:
    return decimals(area, 1) if is_defined(area) and area < 100 else whole(area)


def _between(lower: Any, upper: Any) -> str:
    known = is_defined(lower) and is_defined(upper)
    return f"{_hectares(lower)} to {_hectares(upper)}" if known else ""


def _statement(summary: Mapping[str, Any], *, simulated: bool) -> str:
    labelled = (
        "The truth of the simulated world says what is at each"
        if simulated
        else "A person has said what is at each"
    )
    return (
        f"{whole(summary['points'])} points of the mosaic, drawn at random within each mapped "
        f"class, stand for its {_hectares(summary['area_ha'])} ha. {labelled}. The estimates are "
        "those of Olofsson et al. (2014) and, for a map other than the one that the points were "
        "drawn from, of Stehman (2014)."
    )


def _difference(found: Mapping[str, Any] | None, methods: Sequence[str]) -> str:
    """How far the overall accuracies of the first two methods are apart."""
    if found is None or not is_defined(found["lower"]):
        return ""
    first, second = (method_label(method) for method in methods[:2])
    apart = "cannot be told apart" if found["lower"] <= 0 <= found["upper"] else "differ"
    return (
        f"By overall accuracy {first} and {second} {apart}: {signed(found['difference'])} (95 % "
        f"interval {span(found['lower'], found['upper'])}), on the same points."
    )


def _notes(summary: Mapping[str, Any]) -> list[str]:
    notes = [
        "Below each value stands its 95 % interval. It is approximate where a class has few "
        "points, and left out where all points agree: these cannot tell an error that small."
    ]
    if summary["unlabelled"]:
        notes.append(
            f"{whole(summary['unlabelled'])} of {whole(summary['drawn'])} points are without "
            "class and left out; the others of their stratum stand for them. That is right only if "
            "what could not be seen there is like what could."
        )
    notes += [
        f"The map of {method_label(method)} has no class at {whole(found['unmapped'])} points; "
        "they count as wrong."
        for method, found in summary["methods"].items()
        if found["unmapped"]
    ]
    if not summary["keeps_areas"]:
        notes.append(
            f"Hectares are counted on the plane of {summary['crs']}, which is not equal-area: they "
            "are off by as much as its scale (Lambert-93: a few tenths of a percent). For exact "
            "areas set mapping.mosaic_crs to an equal-area system, such as EPSG:3035."
        )
    return notes
