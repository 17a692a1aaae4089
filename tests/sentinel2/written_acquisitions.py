"""Acquisitions of any size and with any masks, written for tests as plain GeoTIFFs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.bands import BANDS

NODATA = -10000


def write_acquisition(
    folder: Path,
    bands: Mapping[str, NDArray[Any]],
    masks: Mapping[str, NDArray[Any]] | None = None,
    *,
    product: str = "product",
    nodata: int = NODATA,
) -> Acquisition:
    """Write files of the band's own pixel size; a mask has 10 m where it is as large as a band."""
    height, width = max(
        (tuple(side * BANDS[name].resolution_m // 10 for side in values.shape))
        for name, values in bands.items()
    )
    grid = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), height, width)
    paths: dict[str, str] = {}
    for name, values in {**bands, **(masks or {})}.items():
        path = folder / product / f"{name}.tif"
        write_raster(path, values, grid.coarsened(height // len(values)), None)
        paths[name] = str(path)
    return Acquisition(
        product=product,
        family="theia",
        tile="T31TCJ",
        time="2018-01-05T10:54:32.457",
        platform="SENTINEL2A",
        version="C_V2-2",
        baseline="",
        grid=grid,
        bands={name: paths[name] for name in bands},
        masks={name: paths[name] for name in masks or {}},
        scale=1e-4,
        offset=0.0,
        nodata=nodata,
        nodata_declared=False,
    )


def noise(size: int, seed: int = 0, missing: float = 0.1) -> NDArray[np.int16]:
    """A band of random stored numbers, a share of them nodata."""
    random = np.random.default_rng(seed)
    values = random.integers(-200, 9000, (size, size)).astype(np.int16)
    values[random.random(values.shape) < missing] = NODATA
    return values


def flags(size: int, *pixels: tuple[int, int], number: int = 1) -> NDArray[np.uint8]:
    """A mask that has a number in some pixels (y, x), else 0."""
    mask = np.zeros((size, size), np.uint8)
    for pixel in pixels:
        mask[pixel] = number
    return mask
