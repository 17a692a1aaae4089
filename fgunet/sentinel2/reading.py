"""Reading blocks of an acquisition onto its 10 m grid."""

from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import rasterio
from numpy.typing import NDArray

from fgunet.errors import GridError, ProductError
from fgunet.grid import Grid, Window
from fgunet.rasters import rasterio_window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.dilation import dilate
from fgunet.sentinel2.images import open_image, require_mask, require_reflectance
from fgunet.sentinel2.masks import GREATEST_NUMBERS, SPREADING, Masking, look_up, ruled_out
from fgunet.sentinel2.product_grid import unreadable
from fgunet.sentinel2.resampling import Calibration, refine, repeat, rescale, stored_numbers


def read_block(
    acquisition: Acquisition, bands: Sequence[str], masking: Masking, window: Window
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
    masking : Masking
        What makes a pixel unusable.
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
    with AcquisitionReader(acquisition, bands, masking) as reader:
        reflectance = np.empty((len(bands), window.height, window.width), np.uint16)
        valid = reader.load(window).resolve(window, reflectance)
    reflectance *= valid
    return reflectance, valid


class AcquisitionReader:
    """Reads blocks of one acquisition, one after the other. One thread at a time.

    Parameters
    ----------
    acquisition : Acquisition
        What to read.
    bands : sequence of str
        Bands, in the order of the results.
    masking : Masking
        What makes a pixel unusable.
    stay_open : bool
        Whether files stay open between blocks.

    Raises
    ------
    ProductError
        If a band is not in the acquisition.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        bands: Sequence[str],
        masking: Masking,
        *,
        stay_open: bool = True,
    ) -> None:
        _require_bands(acquisition, bands)
        self._acquisition, self._bands, self._masking = acquisition, tuple(bands), masking
        self._stay_open = stay_open
        self._open: dict[str, rasterio.DatasetReader] = {}
        # Used again for the next block: memory from the system costs as much as filling it.
        self._memory: dict[str, NDArray[Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the files; the next block opens them again."""
        for dataset in self._open.values():
            dataset.close()
        self._open.clear()

    def load(self, window: Window) -> "LoadedBlock":
        """Read all that any part of a window needs into memory, instead of the last block.

        Parameters
        ----------
        window : Window
            Pixels of the acquisition's grid.

        Raises
        ------
        GridError
            If the window leaves the grid.
        ProductError
            If a file cannot be read or has another shape than the grid's.
        """
        grid = self._acquisition.grid
        _require_inside(self._acquisition.product, window, grid)
        around = _on_whole_coarse_pixels(window, grid, 2)
        usable = self._usable(around)
        stored = []
        # Of a block under clouds, the bands are not even read.
        if usable[window.relative_to(around).slices].any():
            stored = [self._read_band(band, window, around) for band in self._bands]
        if not self._stay_open:
            self.close()
        return LoadedBlock(
            self._acquisition, self._masking, window=window, around=around, stored=stored,
            usable=usable,
        )  # fmt: skip

    def _usable(self, window: Window) -> NDArray[np.bool_]:
        """Pixels (y, x) of a window that no mask rules out."""
        reach = 2 * int(np.ceil(self._masking.dilation_m / 20))
        around = _on_whole_coarse_pixels(window, self._acquisition.grid, reach)
        inner = window.relative_to(around).slices
        usable: NDArray[np.bool_] = np.ones(window.shape, bool)
        for kind in self._acquisition.masks:
            mask, factor = self.read_mask(kind, around)
            # Most masks are empty most of the time.
            if mask.any() or self._table(kind, self._masking.reasons)[0]:
                unusable = self._ruled_out(kind, mask, factor)
                fine = unusable if factor == 1 else repeat(unusable)
                np.greater(usable, fine[inner], out=usable)
        return usable

    def _ruled_out(self, kind: str, mask: NDArray[np.uint8], factor: int) -> NDArray[np.bool_]:
        """Pixels (y, x) that a mask of pixels so many 10 m wide rules out."""
        reasons, dilation = self._masking.reasons, self._masking.dilation_m
        found = look_up(self._table(kind, reasons), mask)
        if dilation > 0:
            spreading = [reason for reason in reasons if reason in SPREADING]
            found |= dilate(look_up(self._table(kind, spreading), mask), dilation / (10 * factor))
        return found

    def _table(self, kind: str, reasons: Sequence[str]) -> NDArray[np.bool_]:
        return ruled_out(kind, reasons, self._bands)

    def read_file(self, path: str, window: Window) -> tuple[NDArray[Any], int]:
        """Stored numbers of one of the files, and how many 10 m pixels its pixels are wide.

        Parameters
        ----------
        path : str
            File of a band or mask of the acquisition.
        window : Window
            Pixels of the 10 m grid; whole 20 m pixels where the file is of 20 m.

        Returns
        -------
        numbers : ndarray, shape (y, x) or (y / 2, x / 2)
        factor : int
            1 or 2.

        Raises
        ------
        ProductError
            If the file cannot be read or has another shape than the grid's.
        """
        return self._read_at(path, window, window)

    def read_mask(self, kind: str, window: Window) -> tuple[NDArray[np.uint8], int]:
        """As `read_file`, of a mask of the acquisition by its kind.

        Raises ProductError too if a number has no meaning in this kind of mask.
        """
        path, greatest = self._acquisition.masks[kind], GREATEST_NUMBERS.get(kind, 255)
        mask, factor = self.read_file(path, window)
        require_mask(path, mask.dtype)
        bytes_of_any_value = mask.dtype == np.uint8 and greatest == 255
        if not bytes_of_any_value and (mask.min() < 0 or mask.max() > greatest):
            raise ProductError(
                f"{path} holds numbers from {mask.min()} to {mask.max()}; a mask {kind} has 0 to "
                f"{greatest}. Download the product again, or take it away"
            )
        return mask.astype(np.uint8, copy=False), factor

    def _read_band(self, band: str, window: Window, around: Window) -> tuple[NDArray[Any], int]:
        """Stored numbers of a band, in memory that the next block is read into."""
        path = self._acquisition.bands[band]
        stored, factor = self._read_at(path, window, around, self._memory.get(band))
        self._memory[band] = stored
        return _sixteen_bits(path, stored), factor

    def _read_at(
        self, path: str, fine: Window, coarse: Window, into: NDArray[Any] | None = None
    ) -> tuple[NDArray[Any], int]:
        """Read a file of 10 m in the window `fine`, one of 20 m in `coarse` (10 m pixels both)."""
        try:
            if path not in self._open:
                self._open[path] = open_image(path)
            dataset = self._open[path]
            factor = _factor(dataset.shape, self._acquisition.grid.shape, path)
            part = fine if factor == 1 else _halved(coarse)
            out = into if into is not None and into.shape == part.shape else None
            return dataset.read(1, window=rasterio_window(part), out=out), factor
        except rasterio.errors.RasterioError as error:
            raise ProductError(unreadable(path, error)) from error


class LoadedBlock:
    """The stored numbers of a part of an acquisition, in memory.

    Made by `AcquisitionReader.load`, and void after the next. Several threads may use it at once.
    """

    def __init__(
        self,
        acquisition: Acquisition,
        masking: Masking,
        *,
        window: Window,
        around: Window,
        stored: Sequence[tuple[NDArray[Any], int]],
        usable: NDArray[np.bool_],
    ) -> None:
        self._product, self._window, self._around = acquisition.product, window, around
        self._usable = usable
        calibration = Calibration(
            # Rounded, because 1e-4 * 10000 and the like are not whole in binary.
            round(acquisition.scale * 10000, 6),
            round(acquisition.offset * 10000, 6),
            acquisition.nodata if "nodata" in masking.reasons else None,
        )
        self._stored = [
            (stored_numbers(numbers, calibration), factor) for numbers, factor in stored
        ]
        if any(factor == 2 for _, factor in stored):
            self._whole = _all_four(usable)

    def resolve(self, window: Window, reflectance: NDArray[np.uint16]) -> NDArray[np.bool_]:
        """Write the reflectance of a window on the 10 m grid, and say which pixels are usable.

        Parameters
        ----------
        window : Window
            Pixels of the acquisition's grid, within the window that was loaded.
        reflectance : ndarray of uint16, shape (band, y, x)
            Is filled with reflectance x 10000; anything may stand where not valid.

        Returns
        -------
        ndarray of bool, shape (y, x)
            True where all bands have data and no mask rules the pixel out.

        Raises
        ------
        GridError
            If the window leaves the one that was loaded.
        """
        inner = window.relative_to(self._window)
        if inner.row < 0 or inner.col < 0 or inner != inner.expanded(0, self._window.shape):
            raise GridError(f"{window} of {self._product} leaves {self._window}, which was loaded")
        valid: NDArray[np.bool_] = self._usable[window.relative_to(self._around).slices].copy()
        if not self._stored or not valid.any():
            return valid
        coarse = window.relative_to(self._around)
        for (stored, factor), values in zip(self._stored, reflectance, strict=True):
            if factor == 1:
                rescale(stored, inner.row, inner.col, valid=valid, out=values)
            else:
                refine(stored, self._whole, coarse.row, coarse.col, valid=valid, out=values)
        return valid


def _sixteen_bits(path: str, stored: NDArray[Any]) -> NDArray[Any]:
    require_reflectance(path, stored.dtype)
    return stored.astype(np.uint16) if stored.dtype == np.uint8 else stored


def _all_four(fine: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True for coarse pixels (y / 2, x / 2) whose four fine pixels are all True."""
    rows = np.logical_and(fine[0:-1:2], fine[1::2])
    return np.logical_and(rows[:, 0:-1:2], rows[:, 1::2])


def _on_whole_coarse_pixels(window: Window, grid: Grid, margin: int) -> Window:
    """The window grown to whole 20 m pixels and by `margin` (even) pixels, cut at the grid."""
    row, col = window.row // 2 * 2, window.col // 2 * 2
    height = -(-(window.row + window.height) // 2) * 2 - row
    width = -(-(window.col + window.width) // 2) * 2 - col
    return Window(row, col, height, width).expanded(margin, grid.shape)


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


def _require_inside(product: str, window: Window, grid: Grid) -> None:
    if min(window.row, window.col) < 0 or window != window.expanded(0, grid.shape):
        raise GridError(
            f"{window} leaves the grid of {product}, which has {grid.height} x {grid.width} "
            "pixels; cut the window to the grid"
        )


def _require_bands(acquisition: Acquisition, bands: Sequence[str]) -> None:
    missing = [band for band in bands if band not in acquisition.bands]
    if missing:
        raise ProductError(
            f"acquisition {acquisition.product} was listed without {', '.join(missing)}, with "
            f"{', '.join(acquisition.bands)}; list the acquisitions anew with these bands"
        )
