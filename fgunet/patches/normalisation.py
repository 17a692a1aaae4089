"""Normalisation of series: percentiles to [0, 1], date-major channels."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fgunet.compiled import compiled
from fgunet.errors import PatchError
from fgunet.patches.augmentation import Symmetry

_PIXELS = 16
"""Pixels that are turned from channel by channel to pixel by pixel at once: half a cache line."""


def normalise(
    series: NDArray[np.uint16],
    low: ArrayLike,
    high: ArrayLike,
    nodata: int,
    *,
    symmetry: Symmetry | None = None,
    out: NDArray[np.float32] | None = None,
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
    symmetry : Symmetry, optional
        How the result is turned; the series must be square then.
    out : ndarray (y, x, date * band) float32, C-contiguous, optional
        Where to write the result.

    Returns
    -------
    ndarray (y, x, date * band) float32
        In [0, 1]; channel = date * n_bands + band.

    Raises
    ------
    PatchError
        If the series is not of uint16, or series and bounds do not share their dates and bands,
        or a low bound lies above its high bound, or the result does not fit `out`, or a series
        to be turned is not square.
    """
    low, high = (np.asarray(bound, dtype=np.float32) for bound in (low, high))
    _check_bounds(series, low, high)
    dates, bands, height, width = series.shape
    shape = (height, width, dates * bands)
    image = np.empty(shape, dtype=np.float32) if out is None else out
    _check_image(image, shape, symmetry)
    factor = 1 / np.maximum(high - low, np.float32(1))
    _scale_all(
        np.require(series, requirements=["C", "A", "W"]).reshape(-1, height, width),
        _Scaling(low.flatten(), factor.flatten(), int(nodata)),
        (0, width, 1) if symmetry is None else symmetry.landing(height),
        image.reshape(-1, dates * bands),
    )
    return image


def _check_bounds(
    series: NDArray[np.uint16], low: NDArray[np.float32], high: NDArray[np.float32]
) -> None:
    if series.dtype != np.uint16 or series.ndim != 4:
        raise PatchError(
            f"a series of {series.ndim} dimensions and {series.dtype} cannot be normalised; it "
            "must be uint16 (date, band, y, x), as the store of a series gives it"
        )
    if low.shape != series.shape[:2] or high.shape != low.shape:
        raise PatchError(
            f"the series has (date, band) {series.shape[:2]}, its bounds have the shapes "
            f"{low.shape} and {high.shape}; the statistics belong to other series"
        )
    if (low > high).any():
        raise PatchError("a low bound lies above its high bound; make the statistics again")


def _check_image(
    image: NDArray[np.float32], shape: tuple[int, int, int], symmetry: Symmetry | None
) -> None:
    fits = image.shape == shape and image.dtype == np.float32 and image.flags.c_contiguous
    if not fits or not image.flags.writeable:
        raise PatchError(
            f"an image {shape} of float32 cannot be written to an array {image.shape} of "
            f"{image.dtype}, which must have this shape and lie in one piece"
        )
    if symmetry is not None and shape[0] != shape[1]:
        raise PatchError(f"an image of {shape[0]} x {shape[1]} pixels is not square")


class _Scaling(NamedTuple):
    """What each channel is scaled by, and the value that becomes 0."""

    low: NDArray[np.float32]
    factor: NDArray[np.float32]
    nodata: int


@compiled
def _scale_all(
    values: NDArray[np.uint16],
    scaling: _Scaling,
    landing: tuple[int, int, int],
    out: NDArray[np.float32],
) -> None:
    """Scale (channel, y, x) to (pixel, channel), in one pass over either."""
    channels, height, width = values.shape
    first, per_row, per_col = landing
    turned = np.empty((_PIXELS, channels), np.uint16)
    for y in range(height):
        for left in range(0, width, _PIXELS):
            count = min(_PIXELS, width - left)
            _turn(values, y, left, count, turned)
            for x in range(count):
                pixel = first + per_row * y + per_col * (left + x)
                _scale_pixel(turned[x], scaling, out[pixel])


@compiled
def _turn(
    values: NDArray[np.uint16], y: int, left: int, count: int, turned: NDArray[np.uint16]
) -> None:
    """Take `count` pixels of a row to (pixel, channel)."""
    if count == _PIXELS:
        # A loop of fixed length becomes a few moves of vectors; that is worth a branch.
        for channel in range(len(values)):
            for x in range(_PIXELS):
                turned[x, channel] = values[channel, y, left + x]
    else:
        for channel in range(len(values)):
            for x in range(count):
                turned[x, channel] = values[channel, y, left + x]


@compiled
def _scale_pixel(values: NDArray[np.uint16], scaling: _Scaling, out: NDArray[np.float32]) -> None:
    for channel in range(out.size):
        value = values[channel]
        scaled = (np.float32(value) - scaling.low[channel]) * scaling.factor[channel]
        scaled = scaled if scaled > np.float32(0) else np.float32(0)
        scaled = scaled if scaled < np.float32(1) else np.float32(1)
        out[channel] = np.float32(0) if value == scaling.nodata else scaled
