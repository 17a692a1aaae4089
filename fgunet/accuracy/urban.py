"""Whether accuracy goes with how urban a tile is: a straight line through the tiles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import linregress, t

from fgunet.accuracy.differences import TILE
from fgunet.accuracy.intervals import CONFIDENCE
from fgunet.accuracy.scores import defined

DIFFERENCE = "difference"
"""Quantity of the rows that hold the difference of the first two methods."""

_FEWEST_TILES = 3
_KAPPA = {"kappa": "value", "kappa_lower": "lower", "kappa_upper": "upper"}
_TEN_POINTS = 0.1
"""Ten percentage points, as a share."""


@dataclass(frozen=True)
class Line:
    """A straight line by least squares, y = intercept + slope x, and how sure it is.

    Attributes
    ----------
    points : int
        Points with x and y.
    slope, intercept : float
        NaN where undefined.
    slope_error : float
        Standard error of the slope.
    p_value : float
        Two-sided, of a slope of 0.
    middle, spread, noise : float
        Mean of x, sum of its squared distances from the mean, and standard deviation of the
        residuals (n - 2 degrees of freedom).
    reason : str or None
        Why the line is undefined.
    """

    points: int
    slope: float = np.nan
    intercept: float = np.nan
    slope_error: float = np.nan
    p_value: float = np.nan
    middle: float = np.nan
    spread: float = np.nan
    noise: float = np.nan
    reason: str | None = None

    @property
    def slope_bounds(self) -> tuple[float, float]:
        """95 % interval of the slope, by Student's t with n - 2 degrees of freedom."""
        reach = self._quantile * self.slope_error
        return self.slope - reach, self.slope + reach

    def at(self, x: ArrayLike) -> tuple[NDArray[np.float64], ...]:
        """The line at `x`, and the lower and upper bound of its 95 % band.

        The band holds the mean of y at one x: value +- t s sqrt(1/n + (x - mean)^2 / S_xx) [1]_.

        References
        ----------
        .. [1] Draper, N. R. and Smith, H. (1998). Applied Regression Analysis, 3rd edition. Wiley.
        """
        places = np.asarray(x, dtype=np.float64)
        value = self.intercept + self.slope * places
        leverage = 1 / self.points + (places - self.middle) ** 2 / self.spread
        reach = self._quantile * self.noise * np.sqrt(leverage)
        return value, value - reach, value + reach

    @property
    def _quantile(self) -> float:
        return float(t.ppf((1 + CONFIDENCE) / 2, self.points - 2)) if self.points > 2 else np.nan


def straight_line(x: ArrayLike, y: ArrayLike) -> Line:
    """Fit a line by ordinary least squares; every point counts alike.

    Parameters
    ----------
    x, y : array_like of float, (n,)
        Points where one is NaN are left out.

    Returns
    -------
    Line
        Undefined, with a reason, with fewer than three points or where all have one x.
    """
    across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = ~(np.isnan(across) | np.isnan(up))
    across, up = across[known], up[known]
    points = across.size
    if points < _FEWEST_TILES:
        return Line(points, reason=f"a line takes {_FEWEST_TILES} tiles with scores")
    if np.ptp(across) == 0:
        return Line(points, reason="all tiles have the same share")
    fit = linregress(across, up)
    residuals = up - fit.intercept - fit.slope * across
    return Line(
        points,
        float(fit.slope),
        float(fit.intercept),
        float(fit.stderr),
        float(fit.pvalue),
        float(across.mean()),
        float(((across - across.mean()) ** 2).sum()),
        float(np.sqrt((residuals**2).sum() / (points - 2))),
    )


def group_shares(audits: Iterable[Mapping[str, Any]], codes: Iterable[int]) -> pd.DataFrame:
    """How much of each tile's reference belongs to a group of classes.

    Parameters
    ----------
    audits : iterable of mapping
        One a tile: tile, and pixels, a sequence of {code, pixels} that together hold every
        reference pixel of the tile, of all splits.
    codes : iterable of int
        Codes of the group.

    Returns
    -------
    pandas.DataFrame
        One row a tile, by name: tile, pixels, group_pixels, share (0..1; NaN without pixels).
    """
    group = set(codes)
    rows = []
    for audit in audits:
        pixels = sum(row["pixels"] for row in audit["pixels"])
        of_group = sum(row["pixels"] for row in audit["pixels"] if row["code"] in group)
        share = of_group / pixels if pixels else np.nan
        found = {"pixels": pixels, "group_pixels": of_group, "share": share}
        rows.append({"tile": audit["tile"], **found})
    table = pd.DataFrame(rows, columns=["tile", "pixels", "group_pixels", "share"])
    return table.sort_values("tile", ignore_index=True)


def kappa_by_share(
    shares: pd.DataFrame, summary: pd.DataFrame, differences: pd.DataFrame
) -> pd.DataFrame:
    """Kappa of each tile and method, and the difference of the first two, beside its share.

    Parameters
    ----------
    shares : pandas.DataFrame
        What `group_shares` gives.
    summary : pandas.DataFrame
        tile, method, kappa, kappa_lower, kappa_upper.
    differences : pandas.DataFrame
        What `fgunet.accuracy.differences.difference_table` gives; may be empty.

    Returns
    -------
    pandas.DataFrame
        Columns of `shares`, and quantity (a method, or "difference"), value, lower, upper; one
        row a quantity and tile, the methods in the order of the summary, the difference last.
    """
    of_tiles = (differences["scope"] == TILE) & (differences["score"] == "kappa")
    quantities = {
        method: rows.rename(columns=_KAPPA)
        for method, rows in summary.groupby("method", sort=False)
    }
    if of_tiles.any():
        quantities[DIFFERENCE] = differences[of_tiles].rename(columns={DIFFERENCE: "value"})
    return pd.concat(
        [
            shares.assign(quantity=quantity).merge(
                rows[["tile", "value", "lower", "upper"]], on="tile", how="left"
            )
            for quantity, rows in quantities.items()
        ],
        ignore_index=True,
    )


def lines_of(table: pd.DataFrame) -> dict[str, Line]:
    """The line of each quantity of `kappa_by_share`, over the share (0..1)."""
    return {
        str(quantity): straight_line(rows["share"], rows["value"])
        for quantity, rows in table.groupby("quantity", sort=False)
    }


def slopes(table: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """How each quantity of `kappa_by_share` changes with the share.

    Returns
    -------
    dict
        JSON can hold it. By quantity: tiles, slope_per_10_points (change of kappa where the
        share is ten percentage points higher) with lower and upper (95 %), intercept (at a share
        of 0), p_value and reason. Undefined is None.
    """
    told = {}
    for quantity, line in lines_of(table).items():
        lower, upper = line.slope_bounds
        told[quantity] = {
            "tiles": line.points,
            "slope_per_10_points": defined(_TEN_POINTS * line.slope),
            "lower": defined(_TEN_POINTS * lower),
            "upper": defined(_TEN_POINTS * upper),
            "intercept": defined(line.intercept),
            "p_value": defined(line.p_value),
            "reason": line.reason,
        }
    return told
