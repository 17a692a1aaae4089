"""Reading blocks of an acquisition onto its 10 m grid."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray

from fgunet.errors import GridError, ProductError
from fgunet.grid import Grid, Window, split_windows
from fgunet.rasters import rasterio_window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.masks import MASK_RULES
from fgunet.sentinel2.resampling import refine, repeat

MAXIMUM = 65534
"""Greatest reflectance x 10000 that is kept; 65535 says nodata in a series."""

_SCAN = 1024
"""Side of the windows that are searched for data, in 10 m pixels."""


def read_block(
    acquisition: Acquisition, bands: Sequence[str], window: Window
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Reflectance and usable pixels of one window of the 10 m grid.

    Bands of 20 m are interpolated bilinearly with pixel edges aligned, masks take the nearest
    pixel. A 20 m pixel is used only if it has data and no mask touches it, so nothing unusable
    is mixed into a usable pixel. The result of a pixel does not depend on the window.

    Parameters
    ----------
    acquisition : Acquisition
        What to read.
    bands : sequence of str
        Bands, in the order of the result.
    window : Window
        Pixels of `acquisition.grid`.

    Returns
    -------
    reflectance : ndarray of uint16, shape (band, y, x)
        Reflectance x 10000, rounded to nearest (half to even), clipped to 0..65534; 0 where not
        valid.
    valid : ndarray of bool, shape (y, x)
        True where all bands have data and no mask rules the pixel out.

    Raises
    ------
    GridError
        If the window leaves the grid.
    ProductError
        If a band is not in the acquisition, or a file cannot be read or has another shape.
    """
    _require_inside(acquisition, window)
    _require_bands(acquisition, bands)
    around = _with_margin(window, acquisition.grid)
    inner = window.relative_to(around).slices
    usable = _unmasked(acquisition, bands, around)
    whole = _all_four(usable)
    valid = usable[inner].copy()
    reflectance = np.empty((len(bands), window.height, window.width), np.float32)
    for values, band in zip(reflectance, bands, strict=True):
        stored, factor = _read(acquisition, acquisition.bands[band], window, around)
        present = stored != acquisition.nodata
        if factor == 1:
            values[:] = stored
            valid &= present
        else:
            coarse = present & whole
            values[:] = refine(stored.astype(np.float32), coarse)[inner]
            valid &= repeat(coarse)[inner]
    return _to_integers(reflectance, acquisition, valid), valid


def holds_data(acquisition: Acquisition) -> bool:
    """Whether any pixel has data in all bands (masks are not looked at).

    The files are read by windows until the first such pixel, so the answer is exact. The 20 m
    bands come first: where they are empty, the larger files are not read.
    """
    order = sorted(acquisition.bands, key=lambda band: -BANDS[band].resolution_m)
    return any(
        _holds_data(acquisition, order, window)
        for window in split_windows(acquisition.grid.shape, _SCAN)
    )


def _holds_data(acquisition: Acquisition, bands: Sequence[str], window: Window) -> bool:
    present = np.ones((window.height, window.width), bool)
    for band in bands:
        stored, factor = _read(acquisition, acquisition.bands[band], window, window)
        here = stored != acquisition.nodata
        present &= here if factor == 1 else repeat(here)
        if not present.any():
            return False
    return True


def _unmasked(acquisition: Acquisition, bands: Sequence[str], window: Window) -> NDArray[np.bool_]:
    """Pixels (y, x) of a window that no mask rules out."""
    usable: NDArray[np.bool_] = np.ones((window.height, window.width), bool)
    for kind, path in acquisition.masks.items():
        mask, factor = _read(acquisition, path, window, window)
        ruled_out = MASK_RULES[kind](mask, bands)
        usable &= ~(ruled_out if factor == 1 else repeat(ruled_out))
    return usable


def _all_four(fine: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True for coarse pixels (y / 2, x / 2) whose four fine pixels are all True."""
    rows = np.logical_and(fine[0:-1:2], fine[1::2])
    return np.logical_and(rows[:, 0:-1:2], rows[:, 1::2])


def _to_integers(
    reflectance: NDArray[np.float32], acquisition: Acquisition, valid: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """Stored numbers as reflectance x 10000, 0 where not valid."""
    # Rounded, because 1e-4 * 10000 and the like are not whole in binary.
    gain = np.float32(round(acquisition.scale * 10000, 6))
    shift = np.float32(round(acquisition.offset * 10000, 6))
    if gain != 1 or shift != 0:
        reflectance = reflectance * gain + shift
    whole = np.clip(np.rint(reflectance), 0, MAXIMUM).astype(np.uint16)
    whole *= valid
    return whole


def _with_margin(window: Window, grid: Grid) -> Window:
    """The window grown to whole 20 m pixels and one more on each side, cut at the grid."""
    row, col = max(0, window.row // 2 * 2 - 2), max(0, window.col // 2 * 2 - 2)
    end_row = min(grid.height, -(-(window.row + window.height) // 2) * 2 + 2)
    end_col = min(grid.width, -(-(window.col + window.width) // 2) * 2 + 2)
    return Window(row, col, end_row - row, end_col - col)


def _read(
    acquisition: Acquisition, path: str, fine: Window, coarse: Window
) -> tuple[NDArray[Any], int]:
    """Stored numbers of a file and how many 10 m pixels its pixels are wide (1 or 2).

    A file on the 10 m grid is read in the window `fine`; one of 20 m in `coarse`, also given in
    10 m pixels and made of whole 20 m pixels.
    """
    try:
        with rasterio.open(path) as dataset:
            factor = _factor(dataset.shape, acquisition.grid.shape, path)
            part = fine if factor == 1 else _halved(coarse)
            return dataset.read(1, window=rasterio_window(part)), factor
    except rasterio.errors.RasterioError as error:
        raise ProductError(
            f"{path} of product {acquisition.product} cannot be read ({error}); download the "
            "product again, or take it away and list the acquisitions anew"
        ) from error


def _factor(shape: tuple[int, int], fine: tuple[int, int], path: str) -> int:
    for factor in (1, 2):
        if (shape[0] * factor, shape[1] * factor) == tuple(fine):
            return factor
    raise ProductError(
        f"{path} has {shape[0]} x {shape[1]} pixels; expected {fine[0]} x {fine[1]} (10 m) or half "
        "as many a side (20 m): has it changed since the acquisitions were listed? List them anew"
    )


def _halved(window: Window) -> Window:
    return Window(window.row // 2, window.col // 2, window.height // 2, window.width // 2)


def _require_inside(acquisition: Acquisition, window: Window) -> None:
    height, width = acquisition.grid.shape
    if not (
        min(window.row, window.col) >= 0
        and window.row + window.height <= height
        and window.col + window.width <= width
    ):
        raise GridError(
            f"{window} leaves the grid of {acquisition.product}, which has {height} x {width} "
            "pixels; cut the window to the grid"
        )


def _require_bands(acquisition: Acquisition, bands: Sequence[str]) -> None:
    missing = [band for band in bands if band not in acquisition.bands]
    if missing:
        raise ProductError(
            f"acquisition {acquisition.product} was listed without {', '.join(missing)}, with "
            f"{', '.join(acquisition.bands)}; list the acquisitions anew with these bands"
        )
