"""COGs that are nearly all nothing, as a mosaic of some tiles over a country."""

import os
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from fgunet.files import atomic_path, scratch_beside, write_text
from fgunet.grid import Grid, Window
from fgunet.mapping.cog import sidecar_path, write_cog
from fgunet.mapping.pyramid import Halve, build_pyramid, sparse_profile
from fgunet.rasters import rasterio_window
from fgunet.whole import failures_told, require_whole

BLOCK = 512
"""Side of the blocks, in pixels."""

Write = Callable[..., None]


@dataclass(frozen=True)
class Layer:
    """A raster of one band uint8 that is to be written.

    Attributes
    ----------
    path : path
        Its file.
    nodata : int
        Value of pixels without data.
    halve : callable
        Makes its overviews: `fgunet.mapping.pyramid.halve_codes` or `halve_percent`.
    tags : mapping
        Tags of the file.
    colours : mapping
        Colour table: (red, green, blue) of each value; empty for none.
    sidecar : str or None
        Content of ``<path>.aux.xml``, as in `fgunet.mapping.cog.write_cog`.
    """

    path: str | os.PathLike[str]
    nodata: int
    halve: Halve
    tags: Mapping[str, str] = field(default_factory=dict)
    colours: Mapping[int, tuple[int, int, int]] = field(default_factory=dict)
    sidecar: str | None = None


@contextmanager
def create_sparse_cogs(layers: Sequence[Layer], grid: Grid, blocks: int) -> Iterator[Write]:
    """Write COGs of one grid block by block: all of them, or none.

    Blocks without data take no room, in the overviews neither. The bytes depend on the values
    alone. Until all blocks are there, they lie in a hidden folder beside the first file: there
    must be room for everything twice.

    Parameters
    ----------
    layers : sequence of Layer
        What to write.
    grid : Grid
        Their grid.
    blocks : int
        How many blocks have data at most.

    Yields
    ------
    callable
        ``write(window, *values)``: (y, x) uint8 of a whole block, one for each layer, once.

    Raises
    ------
    MapError
        If the files cannot be written, as on a full disk; none is left then.
    """
    first = Path(layers[0].path)
    room = 2 * blocks * BLOCK**2
    with scratch_beside(first) as folder:
        tiled: list[_Tiled] = []
        with ExitStack() as stack:
            for number, layer in enumerate(layers):
                with failures_told(layer.path, room):
                    tiled.append(_Tiled(Path(folder, f"{number}.tif"), layer, grid))
                stack.enter_context(tiled[-1].dataset)

            def write(window: Window, *values: NDArray[np.uint8]) -> None:
                for each, own in zip(tiled, values, strict=True):
                    with failures_told(each.layer.path, room):
                        each.write(window, own)

            yield write
        with ExitStack() as stack:
            for each in tiled:
                part = stack.enter_context(atomic_path(each.layer.path))
                with failures_told(each.layer.path, room):
                    each.translate(part)
            for layer in layers:
                if layer.sidecar is not None:
                    with failures_told(layer.path, room):
                        write_text(sidecar_path(layer.path), layer.sidecar)


class _Tiled:
    """A layer on its way: a sparse GeoTIFF, and the checksum of each block."""

    def __init__(self, path: Path, layer: Layer, grid: Grid) -> None:
        self.layer, self._path = layer, path
        self._sums: dict[Window, int] = {}
        self.dataset = rasterio.open(path, "w", **sparse_profile(grid, layer.nodata, BLOCK))
        if layer.colours:
            self.dataset.write_colormap(1, {k: (*rgb, 255) for k, rgb in layer.colours.items()})
        self.dataset.update_tags(**layer.tags)

    def write(self, window: Window, values: NDArray[np.uint8]) -> None:
        if (values == self.layer.nodata).all():
            return
        self.dataset.write(values, 1, window=rasterio_window(window))
        self._sums[window] = _checksum(values)

    def translate(self, target: Path) -> None:
        """Make the overviews and the COG.

        The COG is read again: of a disk that is full as a file is closed, GDAL tells nobody.
        """
        layer = self.layer
        require_whole(self._path, sparse=True)
        blocks = {(window.row // BLOCK, window.col // BLOCK) for window in self._sums}
        build_pyramid(self._path, blocks, nodata=layer.nodata, block=BLOCK, halve=layer.halve)
        write_cog(
            self._path, target, overviews="NEAREST", block=BLOCK, sparse=True, name=layer.path
        )
        with rasterio.open(target) as dataset:
            for window, expected in self._sums.items():
                if _checksum(dataset.read(1, window=rasterio_window(window))) != expected:
                    raise OSError(f"{window} does not hold what was written")


def _checksum(values: NDArray[np.uint8]) -> int:
    return zlib.crc32(values.tobytes())
