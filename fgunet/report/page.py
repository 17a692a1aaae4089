"""The report: one HTML page that needs nothing else."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jinja2
import pandas as pd

from fgunet.config import count_dates
from fgunet.errors import AccuracyError
from fgunet.nomenclature import Nomenclature
from fgunet.report import (
    acquisitions,
    agreement,
    background,
    findings,
    labels,
    learning,
    reference,
    regularisation,
    regularised,
    windows,
)
from fgunet.report.style import evenly_chosen, method_colour, method_label
from fgunet.report.wording import p_statement, whole

_KINDS = {"png": "image/png", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class ReportInputs:
    """Everything that the page is made of.

    Attributes
    ----------
    title : str
        Heading.
    methods : sequence of str
        Methods of the run, one or more.
    nomenclature : Nomenclature
        Classes.
    focus_group : str or None
        Group with a score of its own.
    configuration : mapping
        Configuration of the run, as it was validated.
    summary, classes : pandas.DataFrame
        Scores by map and by class, "pooled" included.
    comparison : mapping
        Comparison of the first two methods; only a reason where there is one method.
    regularisation : pandas.DataFrame
        Scores of the maps as they are and after the majority filter; may be empty.
    regularisation_comparison : mapping
        Radius of the filter, and the comparison of the methods before and after it.
    agreement, agreement_pairs : mapping of str to pandas.DataFrame
        How often overlapping tiles agree in each method's maps, by class and by pair of tiles, as
        `fgunet.accuracy.agreement` tells it.
    mappings, window_effect : sequence of mapping
        What `fgunet.report.windows.window_notes` takes.
    regularised : pandas.DataFrame
        Scores over all tiles of the regularised maps; may be empty.
    labels : pandas.DataFrame
        What each method learned from, as `fgunet.comparison.labels` tells it; may be empty.
    acquisitions : sequence of mapping
        One a tile: its listing of acquisitions.
    facts : sequence of mapping
        One a tile: tile, gaps (`fgunet.report.gaps.Gaps.figures`), max_gap_days.
    metadata : mapping
        Metadata of each method's model.
    learning_time : pandas.DataFrame
        What learning took, as `fgunet.accuracy.learning_time` tells it; may be empty.
    audit : mapping
        Audit of the reference.
    truth : sequence of mapping
        Confusions with the full truth of a simulated run: method, confusion.
    figures : mapping of str to (str, bytes)
        Kind ("png", "svg") and content of each chart, by name. Charts that are missing are
        left out of the page.
    sheets : mapping of str to (str, bytes)
        Sheets of tiles.
    gap_maps : mapping of str to (str, bytes)
        Maps of the gaps of tiles.
    most_sheets : int
        How many of either are shown at most, evenly chosen.
    versions : mapping of str to str
        Software and its versions.
    """

    title: str
    methods: Sequence[str]
    nomenclature: Nomenclature
    focus_group: str | None
    configuration: Mapping[str, Any]
    summary: pd.DataFrame
    classes: pd.DataFrame
    comparison: Mapping[str, Any]
    acquisitions: Sequence[Mapping[str, Any]]
    agreement: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    agreement_pairs: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    mappings: Sequence[Mapping[str, Any]] = ()
    window_effect: Sequence[Mapping[str, Any]] = ()
    labels: pd.DataFrame = field(default_factory=pd.DataFrame)
    regularisation: pd.DataFrame = field(default_factory=pd.DataFrame)
    regularisation_comparison: Mapping[str, Any] = field(default_factory=dict)
    regularised: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: Sequence[Mapping[str, Any]] = ()
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    learning_time: pd.DataFrame = field(default_factory=pd.DataFrame)
    audit: Mapping[str, Any] = field(default_factory=dict)
    truth: Sequence[Mapping[str, Any]] = ()
    figures: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    sheets: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    gap_maps: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    most_sheets: int = 12
    versions: Mapping[str, str] = field(default_factory=dict)


def render_report(inputs: ReportInputs) -> str:
    """Make the page.

    Returns
    -------
    str
        HTML with its style and its images inside; it makes no request and needs no JavaScript.

    Raises
    ------
    AccuracyError
        If there is no method, or the summary has no row.
    """
    if not inputs.methods or inputs.summary.empty:
        raise AccuracyError(
            f"a report needs a method and its scores; methods {list(inputs.methods)}, "
            f"{len(inputs.summary)} rows of scores"
        )
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fgunet.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["whole"] = whole
    return environment.get_template("report.html.j2").render(**_context(inputs))


def _context(inputs: ReportInputs) -> dict[str, Any]:
    methods = list(inputs.methods)
    tiles = sorted(set(inputs.summary["tile"]) - {"pooled"})
    kappa_rows = findings.tile_rows(inputs.summary, methods, tiles, "kappa")
    classes = reference.class_table(inputs.audit, inputs.nomenclature)
    unmapped = {m: int(findings.pooled_row(inputs.summary, m).get("unmapped", 0)) for m in methods}
    shown = evenly_chosen(sorted(inputs.sheets), inputs.most_sheets)
    mcnemar = inputs.comparison.get("mcnemar")
    return {
        "title": inputs.title,
        "method_names": [method_label(method) for method in methods],
        "forest_name": method_label("forest"),
        "method_colours": [method_colour(place) for place in range(len(methods))],
        "verdict": findings.verdict(inputs.comparison, inputs.summary, methods),
        "tile_verdict": findings.tile_verdict(kappa_rows, methods),
        "cards": findings.cards(inputs.summary, methods, _group(inputs)),
        "facts": _facts(inputs, tiles),
        "figures": {name: _embedded(picture) for name, picture in inputs.figures.items()},
        "sheets": {tile: _embedded(inputs.sheets[tile]) for tile in shown},
        "sheets_in_all": len(inputs.sheets),
        "agreement": agreement.agreement_section(
            inputs.agreement, inputs.agreement_pairs, inputs.nomenclature
        ),
        "window_notes": windows.window_notes(inputs.mappings, inputs.window_effect),
        "kappa_rows": kappa_rows,
        "class_rows": findings.class_rows(
            inputs.classes, methods, inputs.nomenclature, _group(inputs)
        ),
        "focus_group": _group(inputs),
        "comparison": inputs.comparison,
        "comparison_rows": findings.comparison_rows(inputs.comparison, _group(inputs)),
        "regularisation": regularisation.regularisation_table(
            inputs.regularisation, inputs.regularisation_comparison, _group(inputs)
        ),
        "regularised": regularised.regularised_section(
            inputs.regularised, inputs.configuration, inputs.nomenclature, _group(inputs)
        ),
        "labels": labels.labels_section(
            inputs.labels,
            methods,
            inputs.nomenclature,
            equal_labels=inputs.configuration.get("comparison", {}).get("equal_labels", False),
        ),
        "mcnemar": {**mcnemar, "p": p_statement(mcnemar["p_value"])} if mcnemar else None,
        "truth_rows": findings.truth_rows(inputs.truth, inputs.summary, methods),
        "costs": background.cost_table(inputs.metadata, methods),
        "times": learning.time_table(inputs.learning_time),
        "time_notes": learning.time_notes(
            inputs.learning_time, background.network_width(inputs.configuration, inputs.metadata)
        ),
        **_data(inputs),
        "reference": classes,
        **_reference(inputs),
        "network_note": background.network_note(inputs.configuration, inputs.metadata),
        "settings": background.settings_text(inputs.configuration),
        "limits": background.limits(
            inputs.metadata,
            classes,
            unmapped,
            inputs.nomenclature,
            left_out=inputs.audit.get("left_out", ()),
        ),
        "versions": dict(sorted(inputs.versions.items())),
        "simulated": bool(inputs.truth) or "simulation" in inputs.configuration,
    }


def _data(inputs: ReportInputs) -> dict[str, Any]:
    """What the section on the data shows."""
    listed = acquisitions.product_lists(inputs.acquisitions)
    mapped = [tile["tile"] for tile in listed if tile["tile"] in inputs.gap_maps]
    return {
        "acquisitions": acquisitions.acquisition_table(inputs.acquisitions),
        "broken": acquisitions.broken_products(inputs.acquisitions),
        "mask_notes": acquisitions.mask_notes(inputs.acquisitions),
        "product_lists": listed,
        "gaps": acquisitions.gap_rows(inputs.facts),
        "max_gap_days": inputs.facts[0]["max_gap_days"] if inputs.facts else None,
        "gap_maps": {
            tile: _embedded(inputs.gap_maps[tile])
            for tile in evenly_chosen(mapped, inputs.most_sheets)
        },
        "tiles_in_all": len(inputs.acquisitions),
    }


def _reference(inputs: ReportInputs) -> dict[str, Any]:
    """What the section on the reference shows, but for its classes."""
    audit = inputs.audit
    return {
        "class_notes": reference.class_notes(audit),
        "share_note": reference.share_note(audit),
        "sources": reference.source_table(audit),
        "contradictions": reference.contradictions(audit, inputs.nomenclature),
        "steps": reference.step_table(audit),
        "leakage": reference.leakage_rows(audit),
        "reach_note": reference.reach_note(
            audit, avoided=inputs.configuration.get("fgunet", {}).get("avoid_test_context", False)
        ),
        "distance_note": reference.distance_note(audit),
    }


def _group(inputs: ReportInputs) -> str | None:
    """The focus group, if the nomenclature has it."""
    group = inputs.focus_group
    return group if group and inputs.nomenclature.group(group) else None


def _facts(inputs: ReportInputs, tiles: Sequence[str]) -> list[dict[str, str]]:
    """The run in a few numbers."""
    pooled = findings.pooled_row(inputs.summary, inputs.methods[0])
    kept = sum(len(listing["kept"]) for listing in inputs.acquisitions)
    facts = [
        ("tiles", whole(len(tiles))),
        ("acquisitions used", whole(kept)),
        ("regular dates", whole(count_dates(inputs.configuration["series"]))),
        ("classes", whole(len(inputs.nomenclature.codes))),
        ("test polygons", whole(pooled.get("polygons"))),
        ("test pixels", whole(pooled.get("pixels"))),
    ]
    return [{"name": name, "value": value} for name, value in facts]


def _embedded(picture: tuple[str, bytes]) -> str:
    """A picture as a data URI."""
    kind, content = picture
    return f"data:{_KINDS[kind]};base64,{base64.b64encode(content).decode('ascii')}"
