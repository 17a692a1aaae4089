"""The maps of the tiles that a mosaic is made of: what they must be, and how they are read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import reduce

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.vrt import WarpedVRT

from fgunet.errors import GridError, MapError, NomenclatureError
from fgunet.grid import Grid, Window
from fgunet.mapping.tags import class_tags
from fgunet.nomenclature import Nomenclature
from fgunet.rasters import grid_of, rasterio_window, require_same_grid

REMEDY = "make the map of this tile again"


@dataclass(frozen=True)
class TileMaps:
    """A tile's name and the paths of its class map and its confidence."""

    tile: str
    path_to_class: str
    path_to_confidence: str


@dataclass(frozen=True)
class Block:
    """What the tiles have in a window of a mosaic.

    Attributes
    ----------
    window : Window
        The window.
    tiles : list of int
        Numbers of the tiles that touch it, rising.
    codes, confidences : list of ndarray (y, x) uint8
        Of each of them: codes, 0 = nodata; percent, 255 = nodata.
    """

    window: Window
    tiles: list[int]
    codes: list[NDArray[np.uint8]]
    confidences: list[NDArray[np.uint8]]


def check_maps(maps: Sequence[TileMaps], nomenclature: Nomenclature) -> list[Grid]:
    """The grid of each tile, after a look at what its maps say of themselves.

    Raises
    ------
    GridError
        If a map is not uint8, or a confidence lies on another grid than its class map.
    NomenclatureError
        If a class map does not name the nomenclature or its classes, or names others.
    MapError
        If a map cannot be opened.
    """
    grids = []
    for each in maps:
        with (
            _open(each.path_to_class) as classes,
            _open(each.path_to_confidence) as confidence,
        ):
            for dataset in (classes, confidence):
                _require_bytes(dataset)
            _require_nomenclature(classes, nomenclature)
            named = [(dataset.name, grid_of(dataset)) for dataset in (classes, confidence)]
            grids.append(require_same_grid(named))
    return grids


def _open(path: str) -> rasterio.DatasetReader:
    try:
        return rasterio.open(path)
    except RasterioError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: RasterioError) -> MapError:
    return MapError(f"{path} cannot be read ({error.__cause__ or error}): {REMEDY}")


def _require_bytes(dataset: rasterio.DatasetReader) -> None:
    if dataset.dtypes != ("uint8",):
        raise GridError(
            f"{dataset.name} has bands of {', '.join(dataset.dtypes)}; a class map and its "
            f"confidence have one of uint8: {REMEDY}"
        )


def _require_nomenclature(dataset: rasterio.DatasetReader, nomenclature: Nomenclature) -> None:
    expected = class_tags(nomenclature)
    found = {
        name: text
        for name, text in dataset.tags().items()
        if name == "nomenclature" or name.startswith("CLASS_")
    }
    if found == expected:
        return
    names = sorted(
        {name for name, _ in found.items() ^ expected.items()},
        key=lambda name: (name != "nomenclature", name),
    )
    told = "; ".join(
        f"tag {name} is {found.get(name)!r}, expected {expected.get(name)!r}" for name in names[:3]
    )
    more = f"; {len(names) - 3} further tags differ" if len(names) > 3 else ""
    raise NomenclatureError(
        f"{dataset.name} is not a map of the nomenclature {nomenclature.name!r}: {told}{more}. "
        f"All tiles of a mosaic share one nomenclature: {REMEDY} with it, or name the one it has"
    )


def common_tags(paths: Sequence[str]) -> dict[str, str]:
    """The tags that all these rasters have, with the same text."""

    def shared(common: Mapping[str, str], path: str) -> dict[str, str]:
        with rasterio.open(path) as dataset:
            return dict(common.items() & dataset.tags().items())

    with rasterio.open(paths[0]) as first:
        return dict(sorted(reduce(shared, paths[1:], first.tags()).items()))


def read_blocks(
    maps: Sequence[TileMaps],
    grid: Grid,
    touched: Mapping[Window, Sequence[int]],
    nomenclature: Nomenclature,
    *,
    tolerance: float,
) -> Iterator[Block]:
    """Read the tiles of each window of a mosaic (nearest neighbour).

    A tile is open from the first window that touches it to the last, so that a country's tiles
    are not all open at once.

    Parameters
    ----------
    maps : sequence of TileMaps
        All tiles.
    grid : Grid
        Grid of the mosaic.
    touched : mapping of Window to sequence of int
        Numbers of the tiles that each window needs, in the order of reading.
    nomenclature : Nomenclature
        The classes.
    tolerance : float
        Greatest error of the approximate reprojection, in pixels.

    Raises
    ------
    NomenclatureError
        If a tile has a code there that is not in the nomenclature.
    MapError
        If a map cannot be read.
    """
    last = {tile: window for window, tiles in touched.items() for tile in tiles}
    opened: dict[int, _Warped] = {}
    try:
        for window, tiles in touched.items():
            for tile in set(tiles) - set(opened):
                opened[tile] = _Warped(maps[tile], grid, nomenclature, tolerance)
            pairs = [opened[tile].read(window) for tile in tiles]
            yield Block(window, list(tiles), *([pair[k] for pair in pairs] for k in (0, 1)))
            for tile in tiles:
                if last[tile] == window:
                    opened.pop(tile).close()
    finally:
        for each in opened.values():
            each.close()


class _Warped:
    """The two maps of a tile as virtual rasters on the grid of the mosaic."""

    def __init__(
        self, maps: TileMaps, grid: Grid, nomenclature: Nomenclature, tolerance: float
    ) -> None:
        self._nomenclature = nomenclature
        with ExitStack() as stack:
            self._codes, self._confidence = (
                stack.enter_context(
                    WarpedVRT(
                        stack.enter_context(rasterio.open(path)),
                        crs=grid.crs,
                        transform=grid.affine,
                        height=grid.height,
                        width=grid.width,
                        resampling=Resampling.nearest,
                        tolerance=tolerance,
                    )
                )
                for path in (maps.path_to_class, maps.path_to_confidence)
            )
            self._stack = stack.pop_all()

    def read(self, window: Window) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Codes and percent (y, x) uint8 of a window of the mosaic."""
        codes, percent = (_read(each, window) for each in (self._codes, self._confidence))
        try:
            self._nomenclature.labels(codes)
        except NomenclatureError as error:
            raise NomenclatureError(f"{_path(self._codes)}: {error}; {REMEDY}") from None
        return codes, percent

    def close(self) -> None:
        """Close the files."""
        self._stack.close()


def _read(warped: WarpedVRT, window: Window) -> NDArray[np.uint8]:
    try:
        values: NDArray[np.uint8] = warped.read(1, window=rasterio_window(window))
    except RasterioError as error:
        raise _unreadable(_path(warped), error) from error
    return values


def _path(warped: WarpedVRT) -> str:
    return str(warped.src_dataset.name)
