"""The rule of the pixel samples: which pixels are drawn, by their keys alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import ModelError

CLASS_CAP, EQUAL, PROPORTIONAL = "class_cap", "equal", "proportional"
STRATEGIES = CLASS_CAP, EQUAL, PROPORTIONAL

_NO_BOUND = np.iinfo(np.uint64).max


@dataclass(frozen=True)
class Sampling:
    """Which pixels are drawn, of all tiles together.

    A pixel's key is a random number (`fgunet.forest.keys`), so the pixels with the smallest keys
    are a simple random sample without replacement.

    Attributes
    ----------
    strategy : str
        "class_cap": of each class the `samples_per_class` pixels with the smallest keys. "equal":
        of each class as many as the scarcest that occurs has, `samples_per_class` at most.
        "proportional": the `samples` pixels with the smallest keys, whatever their class. A class
        with the share s of the pixels then has the share s of the sample, with a standard error
        of sqrt(s (1 - s) / samples) (Cochran 1977, Sampling Techniques, section 3.2); a rare
        class may have no pixel.
    samples_per_class : int
        Pixels of a class at most ("class_cap", "equal").
    samples : int
        Pixels of all classes at most ("proportional").
    samples_per_polygon : int or None
        First, of each polygon only so many pixels with the smallest keys take part; None for all.
        Pixels of one polygon with different codes count as different polygons.
    every_polygon : bool
        Whether the pixel with the smallest key of each polygon is always drawn. These count in
        the number that the strategy asks for, and are all that may exceed it.

    Raises
    ------
    ModelError
        If a setting makes no sense; all are listed at once.
    """

    strategy: str
    samples_per_class: int
    samples: int
    samples_per_polygon: int | None
    every_polygon: bool = False

    def __post_init__(self) -> None:
        faults = [
            f"{name} is {value}; it must be at least 1"
            for name in ("samples_per_class", "samples", "samples_per_polygon")
            if (value := getattr(self, name)) is not None and value < 1
        ]
        if self.strategy not in STRATEGIES:
            faults.append(f"sampling is {self.strategy!r}; it must be one of {list(STRATEGIES)}")
        if faults:
            raise ModelError("; ".join(faults))

    @property
    def limit(self) -> int:
        """Pixels of a class at most, or of all ("proportional")."""
        return self.samples if self.strategy == PROPORTIONAL else self.samples_per_class

    def settled(self, counts: Mapping[int, int]) -> "Sampling":
        """The sampling with "equal" made a cap: the pixels of the scarcest class.

        Parameters
        ----------
        counts : mapping
            Pixels of each code that occurs, as `draw` gives them of all tiles together.
        """
        if self.strategy != EQUAL:
            return self
        cap = min([self.samples_per_class, *counts.values()])
        return replace(self, strategy=CLASS_CAP, samples_per_class=cap)


# Why parts can be drawn apart (windows of a tile, tiles of a run): let D(A) be what is drawn of
# the pixels A. For any parts A and B, D(D(A) + B) = D(A + B).
# - The caps of polygons keep min(cap, n) of the n pixels of a polygon below a key. In A + B, n is
#   not smaller than in A, so as many capped pixels of a class lie below a key as in A, or more.
# - So a pixel of A that is too far back in A, in its polygon or in its class, is so in A + B too;
#   and D(A) holds all that lies before it up to the limits, so it is so in D(A) + B as well.
# - With every_polygon, the first of each polygon of A + B is a first in A or in B, hence in D(A)
#   or in B. A + B has at least as many polygons as A, so no more places are left for others.
# A part keeps what "class_cap" draws where the strategy is "equal": the number of pixels of the
# scarcest class, up to samples_per_class, can be counted in that, and only over all parts.


def draw(pixels: pd.DataFrame, sampling: Sampling) -> NDArray[np.intp]:
    """Which pixels are drawn; "equal" is taken for "class_cap" (`Sampling.settled`).

    Parameters
    ----------
    pixels : pandas.DataFrame
        tile, row, column, polygon_id, code and key of each pixel.
    sampling : Sampling
        The rule.

    Returns
    -------
    ndarray of int
        Positions in `pixels`, sorted by key, then tile, row and column.
    """
    tiles, _ = pd.factorize(pixels["tile"], sort=True)
    order = np.lexsort((pixels["column"], pixels["row"], tiles, pixels["key"]))
    ordered = pixels[["polygon_id", "code"]].iloc[order]
    first, others = _firsts_and_others(ordered, sampling)
    stratum = _stratum(ordered, sampling)
    places = sampling.limit - np.bincount(stratum[first], minlength=256)[stratum]
    rank = pd.Series(others).groupby(stratum).cumsum().to_numpy()
    drawn: NDArray[np.intp] = order[first | (others & (rank <= places))]
    return drawn


def within_reach(found: pd.DataFrame, drawn: pd.DataFrame, sampling: Sampling) -> NDArray[np.bool_]:
    """Which pixels may still be drawn beside others, told quickly.

    Parameters
    ----------
    found : pandas.DataFrame
        Further pixels.
    drawn : pandas.DataFrame
        Pixels that `draw` drew of others.
    sampling : Sampling
        The rule.

    Returns
    -------
    ndarray of bool
        False only where `draw` of both together would not draw the pixel.
    """
    _, others = _firsts_and_others(drawn, sampling)
    stratum = _stratum(drawn, sampling)
    # Where a class is full, its other pixels are below the greatest key of those; none at 0.
    bounds = np.full(256, _NO_BOUND, np.uint64)
    bounds[np.bincount(stratum, minlength=256) >= sampling.limit] = 0
    full = others & (bounds[stratum] == 0)
    np.maximum.at(bounds, stratum[full], drawn["key"].to_numpy()[full])
    reached: NDArray[np.bool_] = found["key"].to_numpy() <= bounds[_stratum(found, sampling)]
    if sampling.every_polygon:
        order = np.argsort(found["key"].to_numpy())
        repeated = found[["polygon_id", "code"]].iloc[order].duplicated().to_numpy()
        reached[order[~repeated]] = True
    return reached


def _firsts_and_others(
    ordered: pd.DataFrame, sampling: Sampling
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Pixels drawn for their polygon, and others within its cap, of pixels sorted by key."""
    place = ordered.groupby(["polygon_id", "code"], sort=False).cumcount().to_numpy()
    first = (place == 0) & sampling.every_polygon
    others = ~first
    if sampling.samples_per_polygon is not None:
        others &= place < sampling.samples_per_polygon
    return first, others


def _stratum(pixels: pd.DataFrame, sampling: Sampling) -> NDArray[np.uint8]:
    """What a limit counts: pixels of one code, or all."""
    codes = pixels["code"].to_numpy(np.uint8)
    return np.zeros_like(codes) if sampling.strategy == PROPORTIONAL else codes
