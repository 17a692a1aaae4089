"""What the report says about data, reference, learning and settings.

Documents of other rooms are read with care: what a document lacks is left out of the page.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from fgunet import __version__
from fgunet.nomenclature import Nomenclature
from fgunet.report.style import method_label
from fgunet.report.wording import UNDEFINED, decimals, duration, whole

PUBLISHED_WIDTH = 32
"""Filters of the first level of the published network."""

_FEW_POLYGONS = 10
_PACKAGES = ("geopandas", "numpy", "rasterio", "scikit-learn", "snakemake", "zarr")
_MOST_OVERLAPS = 15


def cost_table(metadata: Mapping[str, Mapping[str, Any]], methods: Sequence[str]) -> dict[str, Any]:
    """What learning cost: a column a method, a row a quantity, empty rows left out."""
    rows = (
        ("Parameters", ("n_parameters",), whole),
        ("Trees", ("trees", "n_trees"), whole),
        ("Epochs", ("epochs",), whole),
        ("Best epoch", ("best_epoch",), whole),
        ("Kappa on the validation split", ("best_validation_kappa",), decimals),
        ("Training patches drawn", ("patches",), whole),
        ("Training pixels", ("samples", "n_samples", "n_pixels"), whole),
        ("Workers", ("workers", "threads"), whole),
        ("Wall time", ("wall_s",), duration),
        ("Processor time", ("cpu_s",), duration),
    )
    known = [method for method in methods if metadata.get(method)]
    table = []
    for name, keys, write in rows:
        values = [write(_first(metadata[method], keys)) for method in known]
        if any(value != UNDEFINED for value in values):
            table.append({"name": name, "values": values})
    return {"methods": [method_label(method) for method in known], "rows": table}


def _first(document: Mapping[str, Any], keys: Sequence[str]) -> Any:
    flat = {**document.get("parameters", {}), **document}
    value = next((flat[key] for key in keys if flat.get(key) is not None), None)
    return sum(value.values()) if isinstance(value, Mapping) else value


def reference_table(audit: Mapping[str, Any], nomenclature: Nomenclature) -> list[dict[str, Any]]:
    """Polygons and hectares of each class by split, and the sources they come from."""
    found = audit.get("counts", {}).get("rows", [])
    rows = []
    for land_cover in nomenclature.classes:
        own = [row for row in found if row["code"] == land_cover.code]
        by_source: Counter[str] = Counter()
        for row in own:
            by_source[row["source"]] += row["polygons"]
        splits = {
            split: sum(row["polygons"] for row in own if row["split"] == split)
            for split in ("training", "validation", "test")
        }
        rows.append(
            {
                "name": land_cover.name,
                "colour": "#{:02x}{:02x}{:02x}".format(*land_cover.colour),
                "splits": [whole(count) for count in splits.values()],
                "few": splits["test"] < _FEW_POLYGONS,
                "hectares": decimals(sum(row["hectares"] for row in own), 1),
                "sources": ", ".join(f"{s} ({whole(n)})" for s, n in by_source.most_common()),
            }
        )
    return rows


def source_table(audit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What each source gave, and what was left out of it for which reason."""
    rows = []
    for source in audit.get("fusion", {}).get("sources", []):
        dropped: Counter[str] = Counter(source.get("features_dropped", {}))
        for kind in ("polygons_dropped", "fusion_dropped"):
            for reason, counts in source.get(kind, {}).items():
                dropped[reason] += counts["polygons"]
        ignored = sum(source.get("features_ignored_by_value", {}).values())
        if ignored:
            dropped["ignored on purpose"] += ignored
        rows.append(
            {
                "name": source.get("name", UNDEFINED),
                "read": whole(source.get("features_read")),
                "kept": whole(source.get("fusion_kept", {}).get("polygons")),
                "hectares": decimals(source.get("fusion_kept", {}).get("hectares"), 1),
                "cut": whole(source.get("fusion_cut", {}).get("polygons")),
                "dropped": "; ".join(f"{reason}: {whole(n)}" for reason, n in dropped.items()),
            }
        )
    return rows


def contradictions(audit: Mapping[str, Any], nomenclature: Nomenclature) -> dict[str, Any]:
    """Ground on which two sources name different classes, the largest first."""
    overlaps = audit.get("fusion", {}).get("overlaps", [])
    apart = [row for row in overlaps if row.get("contradiction")]
    apart.sort(key=lambda row: (-row["hectares"], row["kept_code"], row["cut_code"]))
    names = nomenclature.names
    rows = [
        {
            "kept": f"{names.get(row['kept_code'], row['kept_code'])} ({row['kept_source']})",
            "cut": f"{names.get(row['cut_code'], row['cut_code'])} ({row['cut_source']})",
            "pairs": whole(row["pairs"]),
            "hectares": decimals(row["hectares"], 2),
        }
        for row in apart[:_MOST_OVERLAPS]
    ]
    return {
        "rows": rows,
        "more": max(0, len(apart) - _MOST_OVERLAPS),
        "hectares": decimals(sum(row["hectares"] for row in apart), 1),
    }


def leakage_rows(audit: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The checks that no test polygon was seen in training."""
    return [
        {
            "name": name.replace("_", " ").replace(" m2", ", m²"),
            "value": whole(value),
            "good": not value or name.startswith("neighbours"),
        }
        for name, value in audit.get("leakage", {}).items()
    ]


def software_versions(metadata: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Versions of this library and of what it stands on, those the models name included."""
    found = {"fgunet": __version__}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    for document in metadata.values():
        found |= {str(name): str(value) for name, value in document.get("versions", {}).items()}
    return found


def settings_text(configuration: Mapping[str, Any]) -> str:
    """The configuration of the run, as YAML."""
    return yaml.safe_dump(dict(configuration), sort_keys=False, allow_unicode=True, width=96)


def network_note(
    configuration: Mapping[str, Any], metadata: Mapping[str, Mapping[str, Any]]
) -> str:
    """Say plainly where the network is not as wide as the published one; empty if it is."""
    document = metadata.get("fgunet", {})
    width = document.get("width", configuration.get("fgunet", {}).get("width"))
    if not document or width in (None, PUBLISHED_WIDTH):
        return ""
    word = "narrowed" if width < PUBLISHED_WIDTH else "widened"
    size = whole(document.get("n_parameters"))
    return (
        f"The network is {word}: its first level has {width} filters, the published one "
        f"{PUBLISHED_WIDTH}, and every layer follows in proportion. It has {size} parameters. "
        "Its accuracy is not that of the published network."
    )


def limits(
    metadata: Mapping[str, Mapping[str, Any]],
    reference: Sequence[Mapping[str, Any]],
    unmapped: Mapping[str, int],
    nomenclature: Nomenclature,
    *,
    left_out: Sequence[Mapping[str, Any]] = (),
) -> list[str]:
    """What a reader must not conclude from the figures."""
    notes = [
        "The test polygons are not a probability sample of the ground. The scores say how well "
        "the maps agree with the reference databases, not what share of the country is right; "
        "areas cannot be estimated from them.",
        "The intervals come from drawing whole polygons again, class by class. They hold the "
        "chance of which polygons were tested, not that of which tiles, years or training runs.",
        "Tiles overlap. A test polygon in two tiles is judged in both maps, and is one unit when "
        "polygons are drawn.",
        "Test polygons have neighbours of other splits close by, and the network sees the image "
        "around its training pixels: accuracy far from any reference may be lower.",
    ]
    if left_out:
        named = ", ".join(f"{row['name']} ({whole(row['polygons'])})" for row in left_out)
        notes.append(
            f"Not mapped, because they have too few polygons to be split: {named}. Their ground is "
            "mapped as other classes."
        )
    absent = {row["name"] for row in left_out}
    few = [row["name"] for row in reference if row["few"] and row["name"] not in absent]
    if few:
        notes.append(
            f"Fewer than {_FEW_POLYGONS} test polygons: {', '.join(few)}. "
            "Their scores can change much with a few more."
        )
    for method, count in unmapped.items():
        if count:
            notes.append(
                f"{method_label(method)} leaves {whole(count)} test pixels without class; "
                "they are not in its scores."
            )
    for method, document in metadata.items():
        codes = document.get("untrained_codes") or document.get("absent_codes") or []
        if codes:
            names = ", ".join(nomenclature.names.get(int(code), str(code)) for code in codes)
            notes.append(f"{method_label(method)} never saw a training pixel of: {names}.")
    return notes
