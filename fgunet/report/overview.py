"""Small pictures of large rasters and series, for display."""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling

from fgunet.grid import Grid, Window, split_windows
from fgunet.rasters import Series, rasterio_window
from fgunet.sentinel2.bands import NEAR_INFRARED, PICTURES, RED

SIDE = 800
"""Longest side of a picture, in pixels."""

_WINDOW = 512


def overview_step(shape: tuple[int, int], side: int = SIDE) -> int:
    """Take every how many-th pixel so that the longest side has at most `side`."""
    return max(1, math.ceil(max(shape) / side))


def read_overview(
    path: str | os.PathLike[str],
    step: int,
    *,
    mode: bool = False,
    window: Window | None = None,
) -> NDArray[Any]:
    """The first band of a raster, or a window of it, `step` times smaller.

    Parameters
    ----------
    path : path
        A raster; its overviews are used where it has any.
    step : int
        Pixels of the raster to a pixel of the picture, along a side.
    mode : bool
        Take the most frequent value, as for classes; otherwise the nearest.
    window : Window or None
        What is read; None is all.
    """
    with rasterio.open(path) as dataset:
        window = window or Window(0, 0, dataset.height, dataset.width)
        shape = math.ceil(window.height / step), math.ceil(window.width / step)
        how = Resampling.mode if mode and step > 1 else Resampling.nearest
        picture: NDArray[Any] = dataset.read(
            1, window=rasterio_window(window), out_shape=shape, resampling=how
        )
    return picture


def read_overviews(
    paths: Mapping[str, str | os.PathLike[str]],
    step: int,
    *,
    mode: bool = False,
    window: Window | None = None,
) -> dict[str, NDArray[Any]]:
    """`read_overview` of several rasters, by name."""
    return {
        name: read_overview(path, step, mode=mode, window=window) for name, path in paths.items()
    }


def series_overview(
    read: Callable[[Window], NDArray[np.uint16]],
    grid: Grid,
    n_dates: int,
    bands: Sequence[int],
    step: int,
) -> NDArray[np.uint16]:
    """Every `step`-th pixel of some bands of a series, read window by window.

    Parameters
    ----------
    read : callable
        Gives the series of a window, (time, band, y, x) uint16.
    grid : Grid
        Grid of the series.
    n_dates : int
        Dates of the series.
    bands : sequence of int
        Places of the bands to take.
    step : int
        As of `overview_step`.

    Returns
    -------
    ndarray of uint16, (time, band, y, x)
        Reflectance x 10000 as stored, nodata included.
    """
    height, width = (math.ceil(side / step) for side in grid.shape)
    picture = np.empty((n_dates, len(bands), height, width), dtype=np.uint16)
    # Windows start on multiples of the step, so that the pixels taken are evenly spaced.
    for window in split_windows(grid.shape, max(1, _WINDOW // step) * step):
        values = read(window)[:, list(bands), ::step, ::step]
        row, column = window.row // step, window.col // step
        rows, columns = values.shape[2:]
        picture[:, :, row : row + rows, column : column + columns] = values
    return picture


BRIGHTEST = 3500
"""Reflectance x 10000 that is shown white at the latest."""


@dataclass(frozen=True)
class Picture:
    """A picture of a series.

    Attributes
    ----------
    colours : ndarray of float64, (y, x, 3)
        0 to 1.
    date : str
        YYYYMMDD.
    bands : str
        What its bands are.
    limits : tuple of (float, float)
        Reflectance x 10000 that is shown black and that is shown white, a band.
    """

    colours: NDArray[np.float64]
    date: str
    bands: str
    limits: tuple[tuple[float, float], ...]


def series_picture(series: Series, step: int) -> Picture:
    """A small picture of a series at its greenest date.

    True colour where the series has the bands for it. Without a red and a near infrared band the
    middle date is shown.
    """
    shown, name = display_bands(series.bands)
    near = next((band for band in NEAR_INFRARED if band in series.bands), None)
    wanted = [*shown, RED, near] if near and RED in series.bands else [*shown]
    places = [series.bands.index(band) for band in wanted]
    values = series_overview(series.read, series.grid, len(series.dates), places, step)
    best = len(series.dates) // 2
    if len(wanted) > len(shown):
        best = greenest_date(values[:, -2], values[:, -1], series.nodata)
    limits = stretch_limits(values[best, :3], series.nodata)
    colours = stretch(values[best, :3], series.nodata, limits)
    return Picture(colours, series.dates[best], name, limits)


def picture_detail(series: Series, picture: Picture, window: Window) -> Picture:
    """A window of a series at full resolution, of the date and the stretch of its picture."""
    shown, _ = display_bands(series.bands)
    places = [series.bands.index(band) for band in shown]
    values = series.read(window)[series.dates.index(picture.date), places]
    return replace(picture, colours=stretch(values, series.nodata, picture.limits))


def display_bands(bands: Sequence[str]) -> tuple[tuple[str, str, str], str]:
    """Bands to show as red, green and blue, and what such a picture is called."""
    for name, chosen in PICTURES.items():
        if set(chosen) <= set(bands):
            return chosen, name
    few = [*bands, bands[-1], bands[-1]][:3]
    return (few[0], few[1], few[2]), f"bands {', '.join(dict.fromkeys(few))}"


def greenest_date(red: NDArray[np.uint16], near_infrared: NDArray[np.uint16], nodata: int) -> int:
    """Place of the date with the highest median NDVI.

    Parameters
    ----------
    red, near_infrared : ndarray of uint16, (time, y, x)
        Reflectance x 10000.
    nodata : int
        Value of pixels without data.

    Returns
    -------
    int
        The middle date where there are no data.
    """
    r, n = red.astype(np.float32), near_infrared.astype(np.float32)
    known = (red != nodata) & (near_infrared != nodata) & (r + n > 0)
    ndvi = np.divide(n - r, n + r, out=np.full(r.shape, np.nan, np.float32), where=known)
    flat = ndvi.reshape(len(ndvi), -1)
    some = ~np.isnan(flat).all(axis=1)
    if not some.any():
        return len(flat) // 2
    medians = np.full(len(flat), -np.inf)
    medians[some] = np.nanmedian(flat[some], axis=1)
    return int(medians.argmax())


def stretch_limits(bands: NDArray[np.uint16], nodata: int) -> tuple[tuple[float, float], ...]:
    """The 2nd and the 98th percentile of each band, of its pixels with data.

    The upper end is at most `BRIGHTEST`, so that snow does not darken all else. A band without
    data has (0, `BRIGHTEST`).

    Parameters
    ----------
    bands : ndarray of uint16, (band, y, x)
        Reflectance x 10000.
    nodata : int
        Value of pixels without data.
    """
    limits = []
    for band in bands:
        known = band[band != nodata]
        low, high = np.percentile(known, [2, 98]).tolist() if known.size else (0.0, BRIGHTEST)
        limits.append((low, min(high, max(BRIGHTEST, low + 1))))
    return tuple(limits)


def stretch(
    bands: NDArray[np.uint16], nodata: int, limits: Sequence[tuple[float, float]]
) -> NDArray[np.float64]:
    """Reflectance as colours, nodata white.

    Parameters
    ----------
    bands : ndarray of uint16, (3, y, x)
        Red, green and blue.
    nodata : int
        Value of pixels without data.
    limits : sequence of (float, float)
        What is shown black and what is shown white, a band.

    Returns
    -------
    ndarray of float64, (y, x, 3)
        0 to 1.
    """
    colours = np.ones((*bands.shape[1:], 3))
    for place, (band, (low, high)) in enumerate(zip(bands, limits, strict=True)):
        known = band != nodata
        scaled = (band[known] - low) / max(high - low, 1)
        colours[known, place] = np.clip(scaled, 0, 1) ** 0.85
    return colours
