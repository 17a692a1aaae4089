"""The report: one HTML page that needs nothing else."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from fgunet.config import count_dates
from fgunet.errors import AccuracyError
from fgunet.nomenclature import Nomenclature
from fgunet.report import (
    acquisitions,
    agreement,
    areas,
    background,
    calibration,
    context,
    differences,
    findings,
    labels,
    learning,
    left_out,
    provenance,
    reference,
    regularisation,
    regularised,
    split_gap,
    themes,
    urban,
    windows,
)
from fgunet.report.rendering import render
from fgunet.report.style import evenly_chosen, method_colour, method_label
from fgunet.report.viewer import viewer_legend
from fgunet.report.wording import p_statement, whole

GAP_BYTES = 750_000
"""Bytes that the maps of gaps take together, at most, before they are written as text."""

# No line ends between a number and its sign.
_BEFORE_PERCENT = re.compile(r"(?<=\d) (?=%)")
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
    differences, urban_share, split_gap, areas : pandas.DataFrame
        The comparison by tile and class, kappa by urban share, the gap to the other split, and
        class areas, as `fgunet.accuracy` makes them; may be empty.
    urban_slope, areas_summary : mapping
        Slopes of kappa by urban share; what the sample says of whole maps. May be empty.
    context, context_changes, reliability, confidence : pandas.DataFrame
        Tables of `fgunet.accuracy.context_tables` (confidence: its calibration); may be empty.
    left_out, provenance, rule_costs : pandas.DataFrame
        What the run left out, was made with, and took; may be empty.
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
    views : sequence of sequence of mapping
        What the map viewer shows, one a tile: `fgunet.report.detail.tile_views`.
    gap_maps : mapping of str to (str, bytes)
        Maps of the gaps of tiles; as many as `GAP_BYTES` allows are shown.
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
    differences: pd.DataFrame = field(default_factory=pd.DataFrame)
    urban_share: pd.DataFrame = field(default_factory=pd.DataFrame)
    urban_slope: Mapping[str, Any] = field(default_factory=dict)
    split_gap: pd.DataFrame = field(default_factory=pd.DataFrame)
    areas: pd.DataFrame = field(default_factory=pd.DataFrame)
    areas_summary: Mapping[str, Any] = field(default_factory=dict)
    context: pd.DataFrame = field(default_factory=pd.DataFrame)
    context_changes: pd.DataFrame = field(default_factory=pd.DataFrame)
    reliability: pd.DataFrame = field(default_factory=pd.DataFrame)
    confidence: pd.DataFrame = field(default_factory=pd.DataFrame)
    left_out: pd.DataFrame = field(default_factory=pd.DataFrame)
    provenance: pd.DataFrame = field(default_factory=pd.DataFrame)
    rule_costs: pd.DataFrame = field(default_factory=pd.DataFrame)
    regularisation: pd.DataFrame = field(default_factory=pd.DataFrame)
    regularisation_comparison: Mapping[str, Any] = field(default_factory=dict)
    regularised: pd.DataFrame = field(default_factory=pd.DataFrame)
    facts: Sequence[Mapping[str, Any]] = ()
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    learning_time: pd.DataFrame = field(default_factory=pd.DataFrame)
    audit: Mapping[str, Any] = field(default_factory=dict)
    truth: Sequence[Mapping[str, Any]] = ()
    figures: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)
    views: Sequence[Sequence[Mapping[str, Any]]] = ()
    gap_maps: Mapping[str, tuple[str, bytes]] = field(default_factory=dict)


def render_report(inputs: ReportInputs) -> str:
    """Make the page.

    Returns
    -------
    str
        HTML with its style, its images and the script of its map viewer inside; it makes no
        request, and all but the viewer needs no JavaScript.

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
    page = render("report.html.j2", **_context(inputs))
    return _BEFORE_PERCENT.sub("\u00a0", page)


def _context(inputs: ReportInputs) -> dict[str, Any]:
    methods = list(inputs.methods)
    tiles = sorted(set(inputs.summary["tile"]) - {"pooled"})
    kappa_rows = findings.tile_rows(inputs.summary, methods, tiles, "kappa")
    classes = reference.class_table(inputs.audit, inputs.nomenclature)
    unmapped = {m: int(findings.pooled_row(inputs.summary, m).get("unmapped", 0)) for m in methods}
    mcnemar = inputs.comparison.get("mcnemar")
    return {
        "title": inputs.title,
        "method_names": [method_label(method) for method in methods],
        "forest_name": method_label("forest"),
        "method_colours": [method_colour(place) for place in range(len(methods))],
        "verdict": findings.verdict(inputs.comparison, inputs.summary, methods),
        "tile_verdict": findings.tile_verdict(kappa_rows, methods),
        "polygon_verdict": findings.polygon_verdict(inputs.comparison),
        "cards": findings.cards(inputs.summary, methods, _group(inputs)),
        "facts": _facts(inputs, tiles),
        "figures": {name: _embedded(picture) for name, picture in inputs.figures.items()},
        "light": themes.LIGHT,
        "dark": themes.DARK,
        "views": sorted(inputs.views, key=lambda views: str(views[0]["tile"])),
        "viewer_legend": viewer_legend(inputs.nomenclature),
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
        **_sections(inputs),
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
        "simulated": bool(inputs.truth) or "simulation" in inputs.configuration,
    }


def _sections(inputs: ReportInputs) -> dict[str, Any]:
    """Sections with a template of their own; empty where a run has nothing to show there."""
    methods, configuration = list(inputs.methods), inputs.configuration
    labelled = configuration.get("accuracy", {}).get("sample", {}).get("labelled")
    return {
        "areas": areas.areas_section(
            inputs.areas,
            inputs.areas_summary,
            methods,
            inputs.nomenclature,
            simulated="simulation" in configuration and not labelled,
        ),
        "differences": differences.differences_section(inputs.differences, inputs.nomenclature),
        "urban": urban.urban_section(inputs.urban_share, inputs.urban_slope, _group(inputs)),
        "split_gap": split_gap.split_gap_section(inputs.split_gap),
        "context": context.context(
            inputs.context,
            inputs.context_changes,
            inputs.reliability,
            inputs.confidence,
            methods,
        ),
        "calibration": calibration.calibration_section(
            inputs.metadata,
            methods,
            calibrated=configuration.get("mapping", {}).get("calibrated", False),
        ),
        "left_out": left_out.left_out_section(inputs.left_out),
        "provenance": provenance.provenance_section(
            inputs.provenance.fillna(""), inputs.rule_costs
        ),
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
        "gap_maps": {tile: _embedded(inputs.gap_maps[tile]) for tile in _fitting(inputs, mapped)},
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
        ("tile" if len(tiles) == 1 else "tiles", whole(len(tiles))),
        ("acquisitions used", whole(kept)),
        ("regular dates", whole(count_dates(inputs.configuration["series"]))),
        ("classes", whole(len(inputs.nomenclature.codes))),
        ("test polygons", whole(pooled.get("polygons"))),
        ("test pixels", whole(pooled.get("pixels"))),
    ]
    return [{"name": name, "value": value} for name, value in facts]


def _fitting(inputs: ReportInputs, tiles: Sequence[str]) -> list[str]:
    """As many of the tiles as the maps of their gaps have room for, evenly chosen."""
    sizes = {tile: len(inputs.gap_maps[tile][1]) for tile in tiles}
    for count in range(len(tiles), 0, -1):
        chosen = evenly_chosen(tiles, count)
        if sum(sizes[tile] for tile in chosen) <= GAP_BYTES:
            return chosen
    return []


def _embedded(picture: tuple[str, bytes]) -> str:
    """A picture as a data URI; charts follow the reader's choice of a light or a dark page."""
    kind, content = picture
    if kind == "svg":
        content = themes.adapt_chart(content.decode("utf-8")).encode("utf-8")
    return f"data:{_KINDS[kind]};base64,{base64.b64encode(content).decode('ascii')}"
