"""What the report says about learning, settings and limits.

Documents of other rooms are read with care: what a document lacks is left out of the page.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import yaml

from fgunet import __version__
from fgunet.nomenclature import Nomenclature
from fgunet.report.model_tables import model_table
from fgunet.report.reference import FEW_POLYGONS
from fgunet.report.style import method_label
from fgunet.report.wording import decimals, whole

PUBLISHED_WIDTH = 32
"""Filters of the first level of the published network."""

_PACKAGES = ("geopandas", "numpy", "rasterio", "scikit-learn", "snakemake", "zarr")


def cost_table(metadata: Mapping[str, Mapping[str, Any]], methods: Sequence[str]) -> dict[str, Any]:
    """What the models grew to: a column a method, a row a quantity, empty rows left out."""
    models = model_table(metadata, methods)
    rows = (
        ("Parameters", "parameters", whole),
        ("Trees", "trees", whole),
        ("Epochs", "epochs", whole),
        ("Best epoch", "best_epoch", whole),
        ("Kappa on the validation split", "validation_kappa", decimals),
        ("Kappa out of bag", "out_of_bag_kappa", decimals),
    )
    table = [
        {"name": name, "values": [write(value) for value in models[column]]}
        for name, column, write in rows
        if models[column].notna().any()
    ]
    return {"methods": [method_label(method) for method in models["method"]], "rows": table}


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


def network_width(
    configuration: Mapping[str, Any], metadata: Mapping[str, Mapping[str, Any]]
) -> int | None:
    """Filters of the first level of this run's network; None without a network."""
    document = metadata.get("fgunet", {})
    width = document.get("width", configuration.get("fgunet", {}).get("width"))
    return None if not document or width is None else int(width)


def network_note(
    configuration: Mapping[str, Any], metadata: Mapping[str, Mapping[str, Any]]
) -> str:
    """Say plainly where the network is not as wide as the published one; empty if it is."""
    width = network_width(configuration, metadata)
    if width in (None, PUBLISHED_WIDTH):
        return ""
    word = "narrowed" if width < PUBLISHED_WIDTH else "widened"
    size = whole(metadata["fgunet"].get("n_parameters"))
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
        "chance of which polygons were tested, not that of which tiles, years or training runs. "
        "With fewer than about five test polygons of a class they are too narrow, and where all of "
        "them are equally right they have no width.",
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
    few = [row["name"] for row in reference if row["few"]]
    if few:
        notes.append(
            f"Fewer than {FEW_POLYGONS} test polygons: {', '.join(few)}. "
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
