"""Two maps on the polygons that both are judged on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.accuracy.confusion import Confusion
from fgunet.errors import AccuracyError


@dataclass(frozen=True)
class Pair:
    """Counts of two maps, polygon by polygon.

    Attributes
    ----------
    methods : tuple of str
        Names of the first and the second.
    codes : tuple of int
        Codes of the nomenclature.
    references : ndarray of int64, (p,)
        Reference class of each common polygon, as its place in `codes`.
    first, second : ndarray of int64, (p, n)
        Pixels of each common polygon by mapped class, as many in both maps.
    left_out : int
        Polygons judged in one map only.
    """

    methods: tuple[str, str]
    codes: tuple[int, ...]
    references: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]
    left_out: int

    @property
    def polygons(self) -> NDArray[np.int64]:
        """Common polygons of each class, (n,)."""
        return np.bincount(self.references, minlength=len(self.codes))

    def matrix(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Pixels (n, n) of counts (p, n) by polygon; rows reference, columns map."""
        n = len(self.codes)
        matrix = np.zeros((n, n))
        np.add.at(matrix, self.references, counts)
        return matrix


def pair_up(first: Confusion, second: Confusion) -> Pair:
    """The polygons that both maps were judged on; there may be none.

    Raises
    ------
    AccuracyError
        If the nomenclatures differ, or a common polygon has two reference classes or in one map
        more pixels with a class, or without, than in the other.
    """
    if first.codes != second.codes:
        raise AccuracyError(
            f"{first.method} and {second.method} have the codes {list(first.codes)} and "
            f"{list(second.codes)}; compare maps of one nomenclature"
        )
    common, at_first, at_second = np.intersect1d(
        first.polygon_ids, second.polygon_ids, assume_unique=True, return_indices=True
    )
    references = first.references[at_first]
    if np.any(references != second.references[at_second]):
        raise AccuracyError(
            f"a polygon has one reference class for {first.method} and another for "
            f"{second.method}; judge both maps against the same reference"
        )
    _require_same_pixels(first, second, at_first, at_second)
    left_out = first.polygon_ids.size + second.polygon_ids.size - 2 * common.size
    return Pair(
        (first.method, second.method),
        first.codes,
        references,
        first.counts[at_first],
        second.counts[at_second],
        int(left_out),
    )


def _require_same_pixels(
    first: Confusion,
    second: Confusion,
    at_first: NDArray[np.int64],
    at_second: NDArray[np.int64],
) -> None:
    """Refuse common polygons of which the maps have other numbers of pixels, mapped or not."""
    ours, theirs = (
        np.column_stack([confusion.counts.sum(axis=1), confusion.unmapped_counts])[at]
        for confusion, at in ((first, at_first), (second, at_second))
    )
    odd = np.flatnonzero((ours != theirs).any(axis=1))
    if odd.size:
        one = odd[0]
        raise AccuracyError(
            f"{first.method} and {second.method} are judged on different pixels in {odd.size} of "
            f"{at_first.size} common polygons; polygon {first.polygon_ids[at_first[one]]} has "
            f"{ours[one, 0]} pixels with a class and {ours[one, 1]} without in one map, "
            f"{theirs[one, 0]} and {theirs[one, 1]} in the other. Make both maps of the same "
            "series, and judge them against the same reference"
        )
