"""Normalisation of series: percentiles to [0, 1], date-major channels."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fgunet.errors import PatchError


def normalise(
    series: NDArray[np.uint16], low: ArrayLike, high: ArrayLike, nodata: int
) -> NDArray[np.float32]:
    """Clip each channel to its bounds and scale it to [0, 1].

    Parameters
    ----------
    series : ndarray (date, band, y, x) uint16
        Reflectance x 10000.
    low, high : array_like (date, band) float
        Values that become 0 and 1. Where they are equal, the channel says nothing: it
        becomes 0 up to the bound and 1 from one unit above it.
    nodata : int
        Value of pixels without data; they become 0.

    Returns
    -------
    ndarray (y, x, date * band) float32
        In [0, 1]; channel = date * n_bands + band.

    Raises
    ------
    PatchError
        If the bounds do not fit the series, or a low bound lies above its high bound.
    """
    low, high = (np.asarray(bound, dtype=np.float32) for bound in (low, high))
    dates, bands, height, width = series.shape
    if low.shape != (dates, bands) or high.shape != (dates, bands):
        raise PatchError(
            f"the series has {dates} dates and {bands} bands, the bounds have shapes "
            f"{low.shape} and {high.shape}; the statistics belong to other series"
        )
    if (low > high).any():
        raise PatchError("a low bound lies above its high bound; make the statistics again")
    scale = 1 / np.maximum(high - low, np.float32(1))
    out = np.empty((height, width, dates * bands), dtype=np.float32)
    for date in range(dates):  # a date at a time stays in the processor's cache
        values = np.moveaxis(series[date], 0, -1)
        scaled = (values.astype(np.float32) - low[date]) * scale[date]
        np.clip(scaled, 0, 1, out=scaled)
        scaled[values == nodata] = 0
        out[..., date * bands : (date + 1) * bands] = scaled
    return out
