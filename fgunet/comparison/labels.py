"""What each method learned from, by class and altogether."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from fgunet.comparison.seen import require_from_pool
from fgunet.nomenclature import Nomenclature

ALL_CLASSES = "all classes"
"""Name of the row that tells of all classes together; it has no code."""


def label_table(
    polygons: pd.DataFrame, seen: Mapping[str, pd.DataFrame], nomenclature: Nomenclature
) -> pd.DataFrame:
    """Polygons and pixels that there were, and that each method saw.

    Parameters
    ----------
    polygons : pandas.DataFrame
        The training polygons: polygon_id, code, pixels, enters (NaN outside of the pool).
    seen : mapping of str to pandas.DataFrame
        What each method saw: polygon_id, code, pixels, shown.
    nomenclature : Nomenclature
        The classes.

    Returns
    -------
    pandas.DataFrame
        A row a method and class, then one of all its classes, which has no code: method, code
        (Int64), name, polygons_available, polygons_in_pool, polygons_seen, polygons_seen_by_all
        (methods), pixels_available, pixels_in_pool, pixels_seen (at least once), pixels_shown
        (with repetition). Pixels are counted in each tile.

    Raises
    ------
    ComparisonError
        If a method saw a polygon that it may not learn from.
    """
    rows: list[dict[str, Any]] = []
    for method, table in seen.items():
        require_from_pool(method, table, polygons)
        by_class = [(c.code, c.name, polygons["code"] == c.code) for c in nomenclature.classes]
        for code, name, chosen in [*by_class, (None, ALL_CLASSES, polygons["code"] > 0)]:
            row = _counts(polygons[chosen], table, seen)
            rows.append({"method": method, "code": code, "name": name, **row})
    return pd.DataFrame(rows).astype({"code": "Int64"})


def _counts(
    available: pd.DataFrame, table: pd.DataFrame, seen: Mapping[str, pd.DataFrame]
) -> dict[str, int]:
    pool = available[available["enters"].notna()]
    own = table[table["polygon_id"].isin(available["polygon_id"])]
    by_all = own["polygon_id"]
    for other in seen.values():
        by_all = by_all[by_all.isin(other["polygon_id"])]
    return {
        "polygons_available": len(available),
        "polygons_in_pool": len(pool),
        "polygons_seen": len(own),
        "polygons_seen_by_all": len(by_all),
        "pixels_available": int(available["pixels"].sum()),
        "pixels_in_pool": int(pool["pixels"].sum()),
        "pixels_seen": int(own["pixels"].sum()),
        "pixels_shown": int(own["shown"].sum()),
    }
