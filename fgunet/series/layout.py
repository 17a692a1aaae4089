"""The layout of a series on disk: a Zarr 3 group with CF coordinates.

Zarr 3: https://zarr-specs.readthedocs.io/en/latest/v3/core/index.html
CF: https://cfconventions.org/cf-conventions/cf-conventions.html
"""

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj
import zarr.errors
from zarr.codecs import BloscCodec, Crc32cCodec

from fgunet.grid import Grid
from fgunet.series.interpolation import NODATA

CHUNK = 64
"""Side of a chunk in pixels; a chunk holds all dates and bands of its pixels."""

SHARD_PIXELS = 1024 * 1024
"""About the pixels of a shard, the file that chunks are kept in: a square of whole chunks."""

COUNTS: dict[str, tuple[str, str]] = {
    "clear_count": ("number of clear days", "1"),
    "longest_gap": ("longest gap between clear days that a date was filled across", "day"),
    "bridged_count": ("number of dates filled across more than max_gap_days", "1"),
}
"""Long name and unit of each variable (y, x) that stands beside the series."""


@dataclass(frozen=True)
class Layout:
    """What a series holds and how it is cut into files.

    Attributes
    ----------
    tile : str
        Name of the tile.
    grid : Grid
        Its 10 m grid.
    dates : tuple of str
        Regular dates, YYYYMMDD.
    bands : tuple of str
        Names of the bands.
    provenance : dict
        What the series was made of, as JSON can hold it.
    shard : tuple of int
        Rows and columns of a shard, multiples of `chunk`.
    chunk : int
        Side of a chunk in pixels.
    """

    tile: str
    grid: Grid
    dates: tuple[str, ...]
    bands: tuple[str, ...]
    provenance: dict[str, Any]
    shard: tuple[int, int]
    chunk: int = CHUNK


def shard_shape(shape: tuple[int, int], block_width: int) -> tuple[int, int]:
    """Rows and columns of a shard that follow how the products' files are cut.

    A shard is made in one go, so it should need few blocks of the files that its neighbours need
    too: files cut into strips as wide as the tile are read in shards as wide as the tile, all
    others in squares.

    Parameters
    ----------
    shape : tuple of int
        (height, width) of the tile.
    block_width : int
        Width of the blocks that the products' files are cut into.
    """
    rows, cols = (-(-side // CHUNK) * CHUNK for side in shape)
    if block_width >= shape[1]:
        return min(rows, max(CHUNK, SHARD_PIXELS // cols // CHUNK * CHUNK)), cols
    side = math.isqrt(SHARD_PIXELS)
    return min(rows, side), min(cols, side)


def compressor() -> BloscCodec:
    """How chunks are packed: fast, because they are read far more often than the disk is full."""
    # Bits of reflectances that lie side by side agree in their upper places: shuffled, they pack.
    return BloscCodec(typesize=2, cname="lz4", clevel=5, shuffle="bitshuffle")


def write_empty(path: str | os.PathLike[str], layout: Layout) -> None:
    """Write a series without pixels: its coordinates, attributes and the layout of its arrays."""
    # Imported here: reading a series does not need them, and they take a second.
    import dask.array  # noqa: PLC0415
    import xarray  # noqa: PLC0415

    shape, grid = layout.grid.shape, layout.grid
    full = (len(layout.dates), len(layout.bands), *shape)
    nothing = {n: dask.array.empty(n, dtype="uint16", chunks=-1) for n in (full, shape)}
    a, _, c, _, e, f = grid.transform
    dataset = xarray.Dataset(
        {
            "series": (("time", "band", "y", "x"), nothing[full], _attributes(
                "surface reflectance", "1")),
            **{name: (("y", "x"), nothing[shape], _attributes(*about))
               for name, about in COUNTS.items()},
        },
        coords={
            "time": np.array([f"{d[:4]}-{d[4:6]}-{d[6:]}" for d in layout.dates], "datetime64[ns]"),
            "band": np.array(layout.bands, object),
            "y": ("y", f + e * (np.arange(grid.height) + 0.5), _axis("y", grid.crs)),
            "x": ("x", c + a * (np.arange(grid.width) + 0.5), _axis("x", grid.crs)),
            "spatial_ref": ((), np.int32(0), {
                **pyproj.CRS(grid.crs).to_cf(),
                "GeoTransform": f"{c} {a} 0 {f} 0 {e}",
            }),
        },
        attrs={
            "Conventions": "CF-1.11",
            "tile": layout.tile,
            "dates": list(layout.dates),
            "bands": list(layout.bands),
            "nodata": NODATA,
            "grid": grid.to_dict(),
            "provenance": layout.provenance,
        },
    )  # fmt: skip
    encoding = {name: _encoding(layout, (), 0) for name in COUNTS}
    encoding["longest_gap"] = _encoding(layout, (), NODATA)
    encoding["series"] = {**_encoding(layout, full[:2], NODATA), "scale_factor": 1e-4}
    encoding["time"] = {"units": "days since 1970-01-01", "dtype": "int32"}
    with warnings.catch_warnings():
        # Names of bands as text, and metadata in one place, are read by all that read Zarr 3 but
        # not yet part of its specification.
        warnings.simplefilter("ignore", zarr.errors.UnstableSpecificationWarning)
        warnings.simplefilter("ignore", zarr.errors.ZarrUserWarning)
        dataset.to_zarr(path, mode="w", compute=False, zarr_format=3, consolidated=True,
                        encoding=encoding)  # fmt: skip


def _attributes(long_name: str, unit: str) -> dict[str, str]:
    return {"long_name": long_name, "units": unit, "grid_mapping": "spatial_ref"}


def _axis(name: str, crs: str) -> dict[str, str]:
    axes: Sequence[dict[str, str]] = pyproj.CRS(crs).cs_to_cf()
    return next(axis for axis in axes if axis["axis"].lower() == name)


def _encoding(layout: Layout, before: tuple[int, ...], fill: int) -> dict[str, Any]:
    return {
        "chunks": (*before, layout.chunk, layout.chunk),
        "shards": (*before, *layout.shard),
        "compressors": (compressor(), Crc32cCodec()),
        "dtype": "uint16",
        "fill_value": fill,
        **({"_FillValue": fill} if fill else {}),
    }
