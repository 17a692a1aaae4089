"""Where two methods differ: by tile and by class, corrected for looking at many."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.accuracy.comparison import differences
from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.pairing import pair_up
from fgunet.accuracy.permutation import enough_permutations, holm
from fgunet.accuracy.scores import Scores, kappa, overall_accuracy
from fgunet.nomenclature import Nomenclature

ALL, TILE, CLASS = "all", "tile", "class"
"""Values of the column scope."""

_COLUMNS = {
    "scope": "object",
    "tile": "object",
    "code": "Int64",
    "name": "object",
    "score": "object",
    "method_a": "object",
    "method_b": "object",
    "first": "float64",
    "second": "float64",
    "difference": "float64",
    "lower": "float64",
    "upper": "float64",
    "p_value": "float64",
    "p_adjusted": "float64",
    "polygons": "int64",
    "pixels": "int64",
    "reason": "object",
}
_TILE_SCORES = ("kappa", "overall_accuracy")
_NO_POLYGON = "no test polygon that both maps are judged on"
_NO_PIXEL = "no test pixel that the maps give a class"
_ONE_CLASS = "one class alone in reference and maps: kappa is undefined"
_NO_INTERVAL = "no interval: it takes two test polygons of a class"


def difference_table(
    comparison: Mapping[str, Any],
    confusions: Sequence[Confusion],
    nomenclature: Nomenclature,
    *,
    samples: int,
    seed: int,
) -> pd.DataFrame:
    """The differences of two methods over all tiles, by tile and by class.

    Parameters
    ----------
    comparison : mapping
        What `fgunet.accuracy.comparison.compare` tells of all tiles together; a reason alone
        where there is one method.
    confusions : sequence of Confusion
        Those of each tile and method, in any order.
    nomenclature : Nomenclature
        Names of the classes.
    samples : int
        Resamples behind the interval of a tile; of permutations at least as many.
    seed : int
        Seed of both.

    Returns
    -------
    pandas.DataFrame
        Empty where there is one method. Else rows of scope "all" (each score), "tile" (kappa and
        overall accuracy, tiles by name) and "class" (F-score over all tiles, in the order of the
        nomenclature). Columns: scope; tile; code and name of the class; score; method_a,
        method_b; first and second, their values; difference, first less second, with its 95 %
        interval lower to upper; p_value of the paired permutation test; p_adjusted, after Holm
        (1979) within the tiles of one score, and within the classes (missing for "all");
        polygons and pixels that both are judged on; reason, why something is undefined.

    Raises
    ------
    AccuracyError
        If the maps of a tile are not judged on the same pixels.
    """
    if "methods" not in comparison:
        return pd.DataFrame(columns=list(_COLUMNS)).astype(_COLUMNS)
    methods = comparison["methods"]
    whole = {key: comparison[key] for key in ("polygons", "pixels")}
    rows = [
        _row(ALL, {**found, **whole}, methods, score=score)
        for score, found in comparison["scores"].items()
    ]
    rows += _tile_rows(confusions, methods, samples=samples, seed=seed)
    for code, name in nomenclature.names.items():
        found = comparison["classes"][str(code)]
        about = {"score": "f_score", "code": code, "name": name, "reason": _missing(found)}
        rows.append(_row(CLASS, found, methods, **about))
    table = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    families = table[table["scope"] != ALL].groupby(["scope", "score"])
    table["p_adjusted"] = families["p_value"].transform(holm)
    return table


def _tile_rows(
    confusions: Sequence[Confusion], methods: Sequence[str], *, samples: int, seed: int
) -> list[dict[str, Any]]:
    known = {(confusion.tile, confusion.method): confusion for confusion in confusions}
    tiles = sorted({confusion.tile for confusion in confusions})
    permutations = enough_permutations(samples, len(tiles))
    rows = []
    for tile in tiles:
        both = [known.get((tile, method)) for method in methods]
        pair = pair_up(both[0], both[1]) if both[0] and both[1] else None
        if pair is None or not pair.references.size:
            nothing = {"polygons": 0, "pixels": 0, "reason": _NO_POLYGON}
            rows += [_row(TILE, nothing, methods, tile=tile, score=s) for s in _TILE_SCORES]
            continue
        found = differences(
            pair, _tile_scores, samples=samples, permutations=permutations, seed=seed
        )
        size = {"polygons": pair.references.size, "pixels": int(pair.first.sum())}
        for score, values in zip(_TILE_SCORES, found.to_dict("records"), strict=True):
            of_score: dict[Any, Any] = {**values, **size}
            reason = _missing(of_score)
            rows.append(_row(TILE, of_score, methods, tile=tile, score=score, reason=reason))
    return rows


def _tile_scores(confusion: NDArray[Any]) -> Scores:
    return np.stack([kappa(confusion), overall_accuracy(confusion)], axis=-1)


def _row(
    scope: str, found: Mapping[str, Any], methods: Sequence[str], **about: Any
) -> dict[str, Any]:
    """A row of the table, of values that stand under "first" and "second" or the methods' names."""
    names = dict(zip(methods, ("first", "second"), strict=True))
    values = {names.get(key, key): value for key, value in found.items()}
    return {"scope": scope, "method_a": methods[0], "method_b": methods[1], **values, **about}


def _missing(found: Mapping[str, Any]) -> str | None:
    """Why a value or its interval is undefined; None where both are there."""
    if not found["polygons"]:
        return _NO_POLYGON
    if not found["pixels"]:
        return _NO_PIXEL
    if pd.isna(found["difference"]):
        return _ONE_CLASS
    return _NO_INTERVAL if pd.isna(found["lower"]) else None
