"""Labels of one split of a tile, read from its reference rasters."""

import os
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import NomenclatureError, PatchError
from fgunet.grid import Grid, Window
from fgunet.nomenclature import UNLABELLED
from fgunet.patches.open_rasters import read_open
from fgunet.rasters import read_grid, require_same_grid


class Labels(Protocol):
    """Labels of a tile: 0..n-1, and 255 where a pixel is unlabelled or of another split."""

    @property
    def grid(self) -> Grid:
        """Grid of the tile."""

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Labels (y, x) of a window."""


def require_one_grid(tile: str, series: tuple[str, Grid], labels: tuple[str, Grid]) -> None:
    """Check that the reference of a tile lies on the grid of its series.

    Parameters
    ----------
    tile : str
        Name of the tile.
    series, labels : (str, Grid)
        What each is called in the message, best with its file, and its grid.

    Raises
    ------
    PatchError
        If the grids differ.
    """
    if series[1] != labels[1]:
        raise PatchError(
            f"tile {tile}: {series[0]} lies on {series[1]}, {labels[0]} on {labels[1]}; make the "
            "reference rasters anew on the grid of the series (rule rasterise_reference)"
        )


class SplitLabels:
    """Labels of one split: pixels of every other split are hidden.

    Parameters
    ----------
    path_to_code, path_to_split : path
        Rasters of class codes (0 = none) and of splits (0 = none) of a tile, on one grid.
    codes : sequence of int
        Codes of the classes, in the order of their labels.
    split : int
        The value of the split raster to show.

    Raises
    ------
    GridError
        If the two rasters do not share a grid.
    """

    def __init__(
        self,
        path_to_code: str | os.PathLike[str],
        path_to_split: str | os.PathLike[str],
        codes: Sequence[int],
        split: int,
    ) -> None:
        paths = path_to_code, path_to_split
        self._grid = require_same_grid((str(path), read_grid(path)) for path in paths)
        self._paths = paths
        self._split = split
        self._table = np.full(256, UNLABELLED, dtype=np.uint8)
        self._table[list(codes)] = np.arange(len(codes), dtype=np.uint8)

    @property
    def grid(self) -> Grid:
        """Grid of the tile."""
        return self._grid

    def read(self, window: Window) -> NDArray[np.uint8]:
        """Labels (y, x) uint8 of `window`; 255 = unlabelled, or of another split.

        Raises
        ------
        NomenclatureError
            If a pixel of the split has a code without class.
        """
        code, split = (read_open(path, window) for path in self._paths)
        shown = split == self._split
        labels = np.where(shown, self._table[code], np.uint8(UNLABELLED))
        strange = shown & (labels == UNLABELLED)
        if strange.any():
            raise NomenclatureError(
                f"{self._paths[0]} holds the codes {np.unique(code[strange]).tolist()} in split "
                f"{self._split} of {self._paths[1]}, which are not in the nomenclature; "
                "make the reference rasters again"
            )
        return labels


class SplitGround:
    """The pixels of one split of a tile, whatever their class.

    Parameters
    ----------
    path_to_split : path
        Raster of splits.
    split : int
        The value of the split.
    """

    def __init__(self, path_to_split: str | os.PathLike[str], split: int) -> None:
        self._path, self._split = path_to_split, split

    def read(self, window: Window) -> NDArray[np.bool_]:
        """Whether each pixel (y, x) of a window is of the split."""
        of_split: NDArray[np.bool_] = read_open(self._path, window) == self._split
        return of_split
