"""The polygons that both methods may learn from, in the order in which budgets take them in."""

import hashlib
import logging

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import ComparisonError
from fgunet.reference.sides import TRAINING

_log = logging.getLogger(__name__)

_USABLE_BY_BOTH = (
    "both methods can use",
    "They need a pixel with data around which the network can draw a patch: if "
    "fgunet.avoid_test_context is true, take a smaller fgunet.patch_size, split by blocks "
    "(split.mode), or set it to false. Or set comparison.equal_labels to false",
)
_WITH_PIXELS = (
    "hold a pixel",
    "Look at results/reference/audit.json for what became of the others",
)
"""Which polygons may be learned from, and what to do where they are too few."""


def choose_pool(
    layer: pd.DataFrame, counts: pd.DataFrame, *, equal_labels: bool, seed: int
) -> pd.DataFrame:
    """Which training polygons may be learned from, and from which budget on.

    Within a class they stand in a random order, polygons of one feature together: the one of rank
    i of n enters at the budget i / n. So the polygons of a budget are among those of any larger
    one, and the budget 1 has them all.

    Parameters
    ----------
    layer : pandas.DataFrame
        The training polygons of the reference: polygon_id, feature, code.
    counts : pandas.DataFrame
        polygon_id, pixels (training pixels over all tiles) and usable (of them those that both
        methods can use); polygons without pixels may be missing.
    equal_labels : bool
        Whether a polygon needs a usable pixel. If not, a pixel is enough.
    seed : int
        Seed of the order.

    Returns
    -------
    pandas.DataFrame
        One row a polygon of the layer, by rising number: polygon_id (uint32), code (uint8),
        pixels, usable (int64), enters (float64: the budget, NaN for never).

    Raises
    ------
    ComparisonError
        If pixels are of a polygon that is no training polygon, or fewer than two classes have
        polygons to learn from.
    """
    _require_known(layer, counts)
    known, counted = layer[["polygon_id", "feature", "code"]], ["polygon_id", "pixels", "usable"]
    table = known.merge(counts[counted], "left", "polygon_id")
    table = table.fillna({"pixels": 0, "usable": 0}).sort_values("polygon_id", ignore_index=True)
    table["enters"] = _budgets(table, table["usable" if equal_labels else "pixels"] > 0, seed)
    _tell(table)
    _require_two_classes(table, equal_labels=equal_labels)
    dtypes = {"polygon_id": "uint32", "code": "uint8", "pixels": "int64", "usable": "int64"}
    return table[[*dtypes, "enters"]].astype(dtypes)


def in_budget(polygons: pd.DataFrame, budget: float) -> NDArray[np.bool_]:
    """Which polygons a budget holds: its share of each class, and at least one polygon of it.

    Parameters
    ----------
    polygons : pandas.DataFrame
        As `choose_pool` gives them.
    budget : float
        Above 0, up to 1, which holds all that may be learned from.

    Returns
    -------
    ndarray of bool (polygon,)
    """
    first = polygons.groupby("code")["enters"].transform("min")
    chosen: NDArray[np.bool_] = (polygons["enters"] <= np.maximum(budget, first)).to_numpy()
    return chosen


def learning_split(
    split: NDArray[np.uint8], polygon: NDArray[np.uint32], pool: NDArray[np.uint32]
) -> NDArray[np.uint8]:
    """The split of some pixels, with training polygons outside of the pool taken out.

    Parameters
    ----------
    split : ndarray uint8
        0 none, 1 training, 2 validation, 3 test; any shape.
    polygon : ndarray uint32
        Polygon of each pixel, the same shape.
    pool : ndarray (polygon,) uint32
        Numbers of the polygons that may be learned from.

    Returns
    -------
    ndarray uint8
        The same shape; 0 where training is taken out, as given elsewhere.
    """
    learned = split.copy()
    training = split == TRAINING
    learned[training] = np.where(np.isin(polygon[training], pool), TRAINING, 0)
    return learned


def _require_known(layer: pd.DataFrame, counts: pd.DataFrame) -> None:
    strange = counts.loc[~counts["polygon_id"].isin(layer["polygon_id"]), "polygon_id"]
    if len(strange):
        raise ComparisonError(
            f"{len(strange)} polygons with training pixels are no training polygons of the "
            f"reference, first {strange.iloc[0]}; make results/reference again"
        )


def _require_two_classes(table: pd.DataFrame, *, equal_labels: bool) -> None:
    remaining = sorted(table.loc[table["enters"].notna(), "code"].unique().tolist())
    if len(remaining) < 2:
        which, remedy = _USABLE_BY_BOTH if equal_labels else _WITH_PIXELS
        raise ComparisonError(
            f"of {len(table)} training polygons, those that {which} are of the classes "
            f"{remaining}; learning needs two. {remedy}"
        )


def _budgets(table: pd.DataFrame, chosen: "pd.Series[bool]", seed: int) -> "pd.Series[float]":
    """Rank of each chosen polygon of its class, as a share; NaN for the others."""
    pool = table[chosen]
    order = pd.DataFrame(
        {
            "code": pool["code"],
            "key": [_key(seed, feature) for feature in pool["feature"]],
            "polygon_id": pool["polygon_id"],
        }
    ).sort_values(["code", "key", "polygon_id"])
    of_class = order.groupby("code")["code"]
    budgets: pd.Series[float] = (of_class.cumcount() + 1) / of_class.transform("size")
    return budgets.reindex(table.index)


def _key(seed: int, feature: int) -> bytes:
    return hashlib.blake2b(f"pool {seed} {feature}".encode(), digest_size=8).digest()


def _tell(table: pd.DataFrame) -> None:
    """Log what each class gives, and warn of what is left out."""
    for code, of_class in table.groupby("code"):
        out = of_class["enters"].isna()
        _log.log(
            logging.WARNING if out.all() else logging.INFO,
            "class %s: %d of %d training polygons may be learned from; left out are %d without a "
            "pixel, and %d without one that both methods can use",
            code,
            (~out).sum(),
            len(of_class),
            (out & (of_class["pixels"] == 0)).sum(),
            (out & (of_class["pixels"] > 0)).sum(),
        )
