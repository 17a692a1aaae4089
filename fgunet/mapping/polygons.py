"""Class maps as polygons."""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from fgunet.errors import MapError
from fgunet.grid import Grid, Window
from fgunet.mapping.connected import Patches, find_patches
from fgunet.mapping.outlines import outlines
from fgunet.nomenclature import NODATA_CODE, NODATA_CONFIDENCE, Nomenclature
from fgunet.rasters import OpenBand
from fgunet.vectors import write_polygon_batches
from fgunet.whole import failures_told

STRIP = 256
"""Rows that are read together: a whole number of a map's blocks."""

# Of a noisy map, as measured; others take less.
_BYTES_OF_A_PIXEL = 8
_log = logging.getLogger(__name__)

Strips = Iterable[tuple[NDArray[np.uint8], NDArray[np.uint8]]]


@dataclass
class SmallPatches:
    """Patches smaller than the minimum mapping unit, as a sieve leaves them.

    Attributes
    ----------
    minimum : int
        The unit, in pixels.
    protect : sequence of int
        Codes of protected classes.
    patches, protected, others : int
        Patches, those of them that are smaller and of a protected class, and other smaller ones.
    """

    minimum: int
    protect: Sequence[int]
    patches: int = 0
    protected: int = 0
    others: int = 0

    def add(self, code: NDArray[np.uint8], pixels: NDArray[np.int64]) -> None:
        """Count patches: codes (n,) uint8 and numbers of pixels (n,) int64."""
        of_small = np.isin(code[pixels < self.minimum], self.protect)
        self.patches += code.size
        self.protected += int(of_small.sum())
        self.others += int((~of_small).sum())


def read_strips(
    path_to_class: str | os.PathLike[str], path_to_confidence: str | os.PathLike[str], grid: Grid
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Rows of a class map and its confidence, from the top.

    Yields
    ------
    codes : ndarray (y, x) uint8
        0 = nodata.
    confidence : ndarray (y, x) uint8
        Percent, 255 = nodata.

    Raises
    ------
    MapError
        If a pixel has a class but no confidence.
    """
    classes, confidences = OpenBand(path_to_class), OpenBand(path_to_confidence)
    for row in range(0, grid.height, STRIP):
        window = Window(row, 0, min(STRIP, grid.height - row), grid.width)
        codes, confidence = classes.read(window), confidences.read(window)
        missing = np.count_nonzero((codes != NODATA_CODE) & (confidence == NODATA_CONFIDENCE))
        if missing:
            raise MapError(
                f"{path_to_confidence} has no confidence at {missing} pixels that have a class in "
                f"rows {row} to {row + window.height - 1} of the map; remove both and make them "
                "anew"
            )
        yield codes, confidence


def write_polygons(
    path: str | os.PathLike[str],
    strips: Strips,
    grid: Grid,
    nomenclature: Nomenclature,
    small: SmallPatches,
) -> None:
    """Write the patches of a map as polygons to a GeoPackage, atomically.

    A patch is a set of pixels of one code that are connected by their sides. The layer is named
    after the file; its columns are code (integer), name (of the class), area_m2 (float), pixels
    (integer) and confidence (mean of the pixels in percent, to one decimal). Patches are in the
    order of their last pixels, counted by rows; nodata is none. What is kept in memory is the
    patches that reach into the next rows.

    Parameters
    ----------
    path : path
        File to write.
    strips : iterable of (ndarray, ndarray)
        Rows of the map from the top: codes (y, x) uint8, 0 = nodata, and confidence (y, x) uint8
        in percent.
    grid : Grid
        Grid of the map, in metres.
    nomenclature : Nomenclature
        Names of the classes.
    small : SmallPatches
        Counts the patches; the log says what was counted.

    Raises
    ------
    NomenclatureError
        If a code is not in the nomenclature.
    MapError
        If the file cannot be written, as on a full disk.
    """

    def frames() -> Iterator[gpd.GeoDataFrame]:
        for patches in find_patches(strips, grid.width):
            small.add(patches.code, patches.pixels)
            yield _frame(patches, grid, nomenclature)

    with failures_told(path, _BYTES_OF_A_PIXEL * prod(grid.shape)):
        write_polygon_batches(path, frames())
    _log.info(
        "%d polygons; smaller than %d pixels are %d of protected classes, and %d with no large "
        "enough one to join",
        small.patches,
        small.minimum,
        small.protected,
        small.others,
    )


def _frame(patches: Patches, grid: Grid, nomenclature: Nomenclature) -> gpd.GeoDataFrame:
    names = np.array([each.name for each in nomenclature.classes], dtype=object)
    return gpd.GeoDataFrame(
        {
            "code": patches.code.astype(np.int32),
            "name": names[nomenclature.labels(patches.code)],
            "area_m2": patches.pixels * prod(grid.resolution),
            "pixels": patches.pixels,
            "confidence": np.round(patches.total / patches.pixels, 1),
        },
        geometry=outlines(patches.place, patches.starts, grid),
        crs=grid.crs,
    )
