"""How often two tiles that map the same ground independently agree, by class and by pair.

Every function takes counts (n, n) int64 of the n labels of a nomenclature: pixels by the class in
one tile (rows) and in the other (columns).
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.accuracy.scores import f_scores, kappa, overall_accuracy
from fgunet.nomenclature import Nomenclature

ALL = "all"
"""Name of the row over all classes."""

Pairs = Mapping[tuple[str, str], NDArray[np.int64]]


def agreement_by_class(pairs: Pairs, nomenclature: Nomenclature) -> pd.DataFrame:
    """The agreement of all pairs of tiles, by class.

    Which of two tiles comes first does not matter.

    Parameters
    ----------
    pairs : mapping of (str, str) to ndarray (n, n) int64
        Counts of each pair of tiles.
    nomenclature : Nomenclature
        The n classes.

    Returns
    -------
    pandas.DataFrame
        One row a class that occurs where tiles overlap, then one over all (without code); no row
        where no tiles overlap. Columns: code; name; pixels, where at least one of the two tiles
        has the class; both, where both have it; agreement, 2 both / (pixels of the class in one +
        pixels of it in the other), which is the F-score of either as a map of the other [1]_;
        confused_with, the class that the other tile has most often instead (of equals the first),
        and confused_share, its share of the pixels where one tile alone has the class. What is
        undefined is missing.

    References
    ----------
    .. [1] Dice, L. R. (1945). Measures of the amount of ecologic association between species.
       Ecology 26(3), 297-302.
    """
    n = len(nomenclature.codes)
    total = sum(pairs.values(), np.zeros((n, n), dtype=np.int64))
    counts = total + total.T
    agreement = f_scores(counts)
    rows = []
    for label, of_class in enumerate(nomenclature.classes):
        both = int(total[label, label])
        others = np.where(np.arange(n) == label, 0, counts[label])
        either = both + int(others.sum())
        if either:
            rows.append(
                {
                    "code": of_class.code,
                    "name": of_class.name,
                    "pixels": either,
                    "both": both,
                    "agreement": float(agreement[label]),
                    **_most_confused(others, nomenclature),
                }
            )
    if rows:
        rows.append(
            {
                "name": ALL,
                "pixels": int(total.sum()),
                "both": int(np.trace(total)),
                "agreement": float(overall_accuracy(total)),
            }
        )
    columns = ["code", "name", "pixels", "both", "agreement", "confused_with", "confused_share"]
    return pd.DataFrame(rows, columns=columns).astype({"code": "Int64"})


def _most_confused(others: NDArray[np.int64], nomenclature: Nomenclature) -> dict[str, object]:
    """The other class that most pixels have, and its share of them."""
    if not others.any():
        return {}
    label = int(others.argmax())
    return {
        "confused_with": nomenclature.classes[label].name,
        "confused_share": float(others[label] / others.sum()),
    }


def agreement_by_pair(pairs: Pairs) -> pd.DataFrame:
    """The agreement of each pair of tiles.

    Parameters
    ----------
    pairs : mapping of (str, str) to ndarray (n, n) int64
        Counts of each pair of tiles that share ground.

    Returns
    -------
    pandas.DataFrame
        One row a pair, by name: tile_a, tile_b, pixels, agreeing, share, and Cohen's kappa
        between the two (missing where both have one and the same class).
    """
    rows = [
        {
            "tile_a": first,
            "tile_b": second,
            "pixels": int(counts.sum()),
            "agreeing": int(np.trace(counts)),
            "share": float(overall_accuracy(counts)),
            "kappa": float(kappa(counts)),
        }
        for (first, second), counts in sorted(pairs.items())
    ]
    return pd.DataFrame(rows, columns=["tile_a", "tile_b", "pixels", "agreeing", "share", "kappa"])
