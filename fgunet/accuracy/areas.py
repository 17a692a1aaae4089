"""Accuracy and class areas of maps, estimated from a stratified random sample.

The estimators are those of Stehman (2014) [1]_: the strata may be the classes of another map than
the one that is judged. Where they are the classes of the judged map, they are equations 1 to 11 of
Olofsson et al. (2014) [2]_, times the finite population correction that those leave out.

References
----------
.. [1] Stehman, S. V. (2014). Estimating area and map accuracy for stratified random sampling when
   the strata are different from the map classes. International Journal of Remote Sensing 35(13),
   4923-4939.
.. [2] Olofsson, P. et al. (2014). Good practices for estimating area and assessing accuracy of
   land change. Remote Sensing of Environment 148, 42-57.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from fgunet.accuracy.intervals import CONFIDENCE
from fgunet.accuracy.scores import defined
from fgunet.errors import AccuracyError
from fgunet.nomenclature import NODATA_CODE, Nomenclature

M2_PER_HECTARE = 10_000


@dataclass(frozen=True)
class Estimates:
    """Estimates with their precision, each (k,) float64; what is undefined is NaN.

    Attributes
    ----------
    value : ndarray
        Estimates.
    standard_error : ndarray
        Undefined where the points of every stratum agree (a class without a wrong point): the
        formula gives 0 there, a certainty that only a count of all pixels has.
    lower, upper : ndarray
        95 % interval: value ± 1.96 standard errors, cut at 0 and at `most`.
    most : float
        Greatest possible value.
    """

    value: NDArray[np.float64]
    standard_error: NDArray[np.float64]
    most: float = 1.0

    @property
    def lower(self) -> NDArray[np.float64]:
        """Lower bounds."""
        return np.maximum(self.value - self._half, 0)

    @property
    def upper(self) -> NDArray[np.float64]:
        """Upper bounds."""
        return np.minimum(self.value + self._half, self.most)

    @property
    def _half(self) -> NDArray[np.float64]:
        half: NDArray[np.float64] = norm.ppf((1 + CONFIDENCE) / 2) * self.standard_error
        return half

    def times(self, factor: float) -> "Estimates":
        """The same in another unit."""
        return Estimates(self.value * factor, self.standard_error * factor, self.most * factor)

    def columns(self, name: str) -> dict[str, NDArray[np.float64]]:
        """`name`, <name>_lower, <name>_upper and <name>_standard_error."""
        return {
            name: self.value,
            f"{name}_lower": self.lower,
            f"{name}_upper": self.upper,
            f"{name}_standard_error": self.standard_error,
        }


@dataclass(frozen=True)
class Sample:
    """A stratified random sample of a map's pixels, with the class seen at each.

    Attributes
    ----------
    strata : ndarray of int64, (n,)
        Stratum of each point, 0...h-1.
    pixels : ndarray of int64, (h,)
        Pixels of each stratum; those without any have no point.
    reference : ndarray of int64, (n,)
        Code of the class seen at each point.
    pixel_m2 : float
        Area of a pixel in square metres.

    Raises
    ------
    AccuracyError
        If a stratum has no point, or one though it has more pixels.
    """

    strata: NDArray[np.int64]
    pixels: NDArray[np.int64]
    reference: NDArray[np.int64]
    pixel_m2: float

    def __post_init__(self) -> None:
        # A stratum that the map lacks may stay empty.
        few = np.flatnonzero(self.points < np.minimum(self.pixels, 2))
        if few.size:
            raise AccuracyError(
                f"strata {few.tolist()} (0 is the first) have {self.points[few].tolist()} points; "
                "each needs two, or all of its pixels, for an estimate with its error"
            )

    @property
    def points(self) -> NDArray[np.int64]:
        """Points of each stratum (h,)."""
        return np.bincount(self.strata, minlength=len(self.pixels))

    @property
    def area_ha(self) -> float:
        """Area of all strata in hectares."""
        return float(self.pixels.sum() * self.pixel_m2 / M2_PER_HECTARE)

    def ratio(self, y: ArrayLike, x: ArrayLike) -> Estimates:
        """The combined ratio estimator: total of `y` over all pixels / total of `x`.

        Stehman (2014), equations 27 and 28. With x = 1 it is the estimator of a mean (equations 3
        and 25). A value is NaN where no point has x.

        Parameters
        ----------
        y, x : array_like, (n, k)
            What is known of each point; numbers or truth values.
        """
        y, x = np.broadcast_arrays(np.asarray(y, np.float64), np.asarray(x, np.float64))
        of_x = self._totals(x)
        whole = np.where(of_x > 0, of_x, np.nan)
        value = self._totals(y) / whole
        error = np.sqrt(self._variances(y - value * x)) / whole
        census = len(self.strata) == self.pixels.sum()
        return Estimates(value, error if census else np.where(error > 0, error, np.nan))

    def _totals(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        weights = self.pixels[self.strata] / self.points[self.strata]
        totals: NDArray[np.float64] = (weights[:, None] * values).sum(axis=0)
        return totals

    def _variances(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Variances of estimated totals, with the finite population correction."""
        variances = np.zeros(values.shape[1])
        for stratum, (pixels, points) in enumerate(zip(self.pixels, self.points, strict=True)):
            if points == pixels:
                continue
            own = values[self.strata == stratum]
            # Less the first, so that equal values have no variance, not that of their rounding.
            spread = (own - own[0]).var(axis=0, ddof=1)
            # In floats: the square of a country's pixels is beyond 64 bits.
            variances += float(pixels) ** 2 * (1 - points / pixels) * spread / points
        return variances


def overall(sample: Sample, mapped: NDArray[Any]) -> dict[str, Any]:
    """Overall accuracy of a map, by area.

    Parameters
    ----------
    sample : Sample
        The sample, of this map or of another of the same ground.
    mapped : ndarray of int, (n,)
        Code that the map has at each point; where it has none (0), it is wrong.

    Returns
    -------
    dict
        JSON can hold it: overall_accuracy with _lower, _upper and _standard_error, and unmapped
        (points without class in the map). None is undefined.
    """
    right = (mapped == sample.reference)[:, None]
    found = sample.ratio(right, 1).columns("overall_accuracy")
    unmapped = int(np.count_nonzero(mapped == NODATA_CODE))
    return {name: defined(value[0]) for name, value in found.items()} | {"unmapped": unmapped}


def difference(sample: Sample, first: NDArray[Any], second: NDArray[Any]) -> dict[str, Any]:
    """How far the overall accuracies of two maps are apart (first less second), point by point.

    Parameters
    ----------
    sample : Sample
        The sample.
    first, second : ndarray of int, (n,)
        Codes of two maps at each point.

    Returns
    -------
    dict
        JSON can hold it: difference, lower, upper, standard_error. None is undefined.
    """
    right = [(mapped == sample.reference).astype(np.float64) for mapped in (first, second)]
    # As a share of what it can be at most, it lies between 0 and 1 like every other estimate.
    found = sample.ratio(((right[0] - right[1] + 1) / 2)[:, None], 1)
    return {
        "difference": defined(2 * found.value[0] - 1),
        "lower": defined(2 * found.lower[0] - 1),
        "upper": defined(2 * found.upper[0] - 1),
        "standard_error": defined(2 * found.standard_error[0]),
    }


def by_class(
    sample: Sample, mapped: NDArray[Any], mapped_pixels: NDArray[np.int64], classes: Nomenclature
) -> pd.DataFrame:
    """Class areas, user's and producer's accuracies of a map, by area.

    Parameters
    ----------
    sample : Sample
        The sample, of this map or of another of the same ground.
    mapped : ndarray of int, (n,)
        Code that the map has at each point, 0 where it has none.
    mapped_pixels : ndarray of int64, (k,)
        Pixels of each class in the map.
    classes : Nomenclature
        The k classes.

    Returns
    -------
    pandas.DataFrame
        A row for each class that is mapped or seen: code, name, mapped_area_ha, points (where
        it was seen), mapped_points (where the map has it), and area_ha (of what was seen),
        users and producers (accuracies), each with _lower, _upper and _standard_error. What is
        undefined is NaN.
    """
    codes = np.array(classes.codes)
    seen = sample.reference[:, None] == codes
    claimed = mapped[:, None] == codes
    table = pd.DataFrame(
        {
            "code": codes,
            "name": [one.name for one in classes.classes],
            "mapped_area_ha": mapped_pixels * sample.pixel_m2 / M2_PER_HECTARE,
            **sample.ratio(seen, 1).times(sample.area_ha).columns("area_ha"),
            **sample.ratio(seen & claimed, claimed).columns("users"),
            **sample.ratio(seen & claimed, seen).columns("producers"),
            "points": seen.sum(axis=0),
            "mapped_points": claimed.sum(axis=0),
        }
    )
    occurs = (mapped_pixels > 0) | (table["points"] > 0)
    return table[occurs].reset_index(drop=True)


def summarise(
    sample: Sample,
    maps: Mapping[str, tuple[NDArray[Any], NDArray[np.int64]]],
    classes: Nomenclature,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Judge maps by one sample.

    Parameters
    ----------
    sample : Sample
        The sample.
    maps : mapping of str to (ndarray of int (n,), ndarray of int64 (k,))
        By method: the map's code at each point, and its pixels of each class.
    classes : Nomenclature
        The k classes.

    Returns
    -------
    table : pandas.DataFrame
        `by_class` of each map, after a column method.
    summary : dict
        JSON can hold it: points, pixels and area_ha of all strata, methods ({method: `overall`}),
        and difference, the first two methods' `difference`, where there are two.
    """
    tables = [by_class(sample, *each, classes).assign(method=name) for name, each in maps.items()]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "method", table.pop("method"))
    summary = {
        "points": len(sample.strata),
        "pixels": int(sample.pixels.sum()),
        "area_ha": sample.area_ha,
        "methods": {name: overall(sample, mapped) for name, (mapped, _) in maps.items()},
    }
    if len(maps) > 1:
        first, second = [mapped for mapped, _ in maps.values()][:2]
        summary["difference"] = difference(sample, first, second)
    return table, summary
