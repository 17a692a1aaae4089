"""Where tiles overlap: how often two maps of the same ground agree."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fgunet.nomenclature import Nomenclature
from fgunet.report.style import method_label
from fgunet.report.wording import UNDEFINED, percent, whole

NOTE = (
    "Two tiles map the same ground from acquisitions and windows of their own, but with the same "
    "model: their agreement tells how consistent a map is, not how accurate. Across UTM zones the "
    "pixels of two tiles lie up to half a pixel apart, so even right maps cannot agree everywhere."
)


def agreement_section(
    classes: Mapping[str, pd.DataFrame],
    pairs: Mapping[str, pd.DataFrame],
    nomenclature: Nomenclature,
) -> dict[str, Any]:
    """What is told of the ground that two tiles share.

    Parameters
    ----------
    classes, pairs : mapping of str to pandas.DataFrame
        For each method, what `fgunet.accuracy.agreement` makes by class and by pair of tiles.
    nomenclature : Nomenclature
        Classes.

    Returns
    -------
    dict
        Empty without methods. Else statement and note (sentences) and rows: name, colour (None
        over all classes) and cells, one a method: pixels, agreement, confused_with,
        confused_share.
    """
    if not pairs:
        return {}
    first = max(pairs.values(), key=len)
    if first.empty:
        return {"statement": "No two tiles share mapped ground.", "note": "", "rows": []}
    shares = _listed({method: _share(table) for method, table in pairs.items()})
    sharing = "pair of tiles shares" if len(first) == 1 else "pairs of tiles share"
    statement = (
        f"{whole(len(first))} {sharing} "
        f"{whole(first['pixels'].sum())} pixels of the mosaic. Both tiles have the same class on "
        f"{shares} of them{_zones(pairs)}."
    )
    by_code = {method: table.set_index("code") for method, table in classes.items()}
    total = {method: table[table["code"].isna()] for method, table in classes.items()}
    rows: list[dict[str, Any]] = [
        {
            "name": each.name,
            "colour": each.hexadecimal,
            "cells": [_cell(table[table.index == each.code]) for table in by_code.values()],
        }
        for each in nomenclature.classes
        if any(each.code in table.index for table in by_code.values())
    ]
    everything = [_cell(table) for table in total.values()]
    rows.append({"name": "all classes", "colour": None, "cells": everything})
    return {"statement": statement, "note": NOTE, "rows": rows}


def _cell(row: pd.DataFrame) -> dict[str, str]:
    """What one method's table has of a class; dashes where it has no row."""
    if row.empty:
        return dict.fromkeys(("pixels", "agreement", "confused_with", "confused_share"), UNDEFINED)
    found = row.iloc[0]
    known = isinstance(found["confused_with"], str)
    return {
        "pixels": whole(found["pixels"]),
        "agreement": percent(found["agreement"]),
        "confused_with": found["confused_with"] if known else UNDEFINED,
        "confused_share": percent(found["confused_share"]) if known else "",
    }


def _zones(pairs: Mapping[str, pd.DataFrame]) -> str:
    """How agreement differs within a UTM zone and across, where there are pairs of both kinds."""
    across = {
        method: table["tile_a"].str[1:3] != table["tile_b"].str[1:3]
        for method, table in pairs.items()
    }
    if not all(apart.any() and not apart.all() for apart in across.values()):
        return ""
    within, beyond = (
        _listed({method: _share(table[across[method] == apart]) for method, table in pairs.items()})
        for apart in (False, True)
    )
    return f": within a UTM zone on {within}, across zones on {beyond}"


def _share(pairs: pd.DataFrame) -> float:
    return float(pairs["agreeing"].sum() / pairs["pixels"].sum()) if len(pairs) else float("nan")


def _listed(shares: Mapping[str, float]) -> str:
    """Shares in a sentence: "91.1 % (FG-UNET) and 86.5 % (Random Forest)"."""
    return " and ".join(
        f"{percent(share)}\u00a0% ({method_label(method)})" for method, share in shares.items()
    )
