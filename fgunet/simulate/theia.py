"""Product folders in the layout of Theia (MUSCATE), level 2A.

Layout: `<name>/<name>_FRE_<band>.tif` (int16, reflectance x 10000, nodata -10000 that the files
do not declare), `<name>/MASKS/<name>_<CLM|EDG|SAT>_<R1|R2>.tif` and `<name>/<name>_MTD_ALL.xml`.
Format: https://labo.obs-mip.fr/multitemp/sentinel-2/theias-sentinel-2-l2a-product-format/
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from fgunet.grid import Grid
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.theia_format import (
    MASK_FOLDER,
    NODATA,
    SATURATION_BITS_10M,
    SATURATION_BITS_20M,
    SCALE,
)
from fgunet.simulate.theia_metadata import metadata_xml

PLATFORM = "SENTINEL2A"
"""The one satellite in orbit in the years that are simulated; product names begin with it."""

SATURATED = 1.15
"""Reflectance from which a band counts as saturated."""

GROUPS = {"R1": SATURATION_BITS_10M, "R2": SATURATION_BITS_20M}
"""Bands of each resolution; their place is their bit in the SAT mask. R1: 10 m, R2: 20 m."""


@dataclass(frozen=True)
class Product:
    """One product: pixels as a processor delivers them.

    Attributes
    ----------
    tile, platform, version : str
        "T31TCJ", "SENTINEL2A", "V1-4".
    time : datetime
        Acquisition, UTC.
    grid : Grid
        10 m grid.
    fine, coarse : float32 (band, y, x)
        Reflectance of the bands of R1 and R2, in the order of GROUPS, on the 10 and 20 m grids.
    clouds, edge : uint8, bool (y, x)
        CLM mask, and True outside the swath; on the 10 m grid.
    """

    tile: str
    platform: str
    version: str
    time: datetime
    grid: Grid
    fine: NDArray[np.float32]
    coarse: NDArray[np.float32]
    clouds: NDArray[np.uint8]
    edge: NDArray[np.bool_]

    @property
    def name(self) -> str:
        """Name of the product and of its folder."""
        stamp = f"{self.time:%Y%m%d-%H%M%S}-{self.time.microsecond // 1000:03d}"
        return f"{self.platform}_{stamp}_L2A_{self.tile}_D_{self.version}"


def coarsen(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean of each 2 x 2 pixels; (band, y, x) to (band, y/2, x/2)."""
    bands, height, width = values.shape
    blocks = values.reshape(bands, height // 2, 2, width // 2, 2)
    return np.asarray(blocks.mean(axis=(2, 4)), dtype=np.float32)


def coarsen_bits(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bits that any of each 2 x 2 pixels has; (y, x) to (y/2, x/2)."""
    height, width = mask.shape
    blocks = mask.reshape(height // 2, 2, width // 2, 2)
    bits = np.bitwise_or.reduce(np.bitwise_or.reduce(blocks, axis=3), axis=1)
    return np.asarray(bits, dtype=np.uint8)


def to_integers(reflectance: NDArray[np.float32], outside: NDArray[np.bool_]) -> NDArray[np.int16]:
    """Stored values (band, y, x): reflectance x 10000, at least 0; -10000 outside the swath."""
    values = np.clip(np.rint(reflectance / np.float32(SCALE)), 0, 20000).astype(np.int16)
    return np.where(outside, np.int16(NODATA), values)


def write_product(folder: str | os.PathLike[str], product: Product) -> Path:
    """Write a product into `folder`, which a caller makes whole or not at all; give its path."""
    home = Path(folder) / product.name
    (home / MASK_FOLDER).mkdir(parents=True)
    edges = {"R1": product.edge, "R2": coarsen_bits(product.edge.astype(np.uint8)) > 0}
    clouds = {"R1": product.clouds, "R2": coarsen_bits(product.clouds)}
    pixels = {"R1": product.fine, "R2": product.coarse}
    grids = {"R1": product.grid, "R2": product.grid.coarsened(2)}
    for group, bands in GROUPS.items():
        grid, outside = grids[group], edges[group]
        stored = to_integers(pixels[group], outside)
        for band, values in zip(bands, stored, strict=True):
            _write(home / f"{product.name}_FRE_{BANDS[band].theia_name}.tif", values, grid)
        saturated = np.zeros(grid.shape, dtype=np.uint8)
        for bit, values in enumerate(pixels[group]):
            saturated |= ((values > SATURATED) & ~outside).astype(np.uint8) << np.uint8(bit)
        masks = {
            "CLM": np.where(outside, np.uint8(0), clouds[group]),
            "EDG": outside.astype(np.uint8),
            "SAT": saturated,
        }
        for kind, mask in masks.items():
            _write(home / MASK_FOLDER / f"{product.name}_{kind}_{group}.tif", mask, grid)
    text = metadata_xml(
        name=product.name,
        tile=product.tile,
        platform=product.platform,
        version=product.version,
        time=product.time,
        grids=grids,
        groups={
            key: tuple(BANDS[band].theia_name for band in bands) for key, bands in GROUPS.items()
        },
        nodata=NODATA,
        steps=round(1 / SCALE),
        cloud_percent=_cloud_percent(product),
    )
    (home / f"{product.name}_MTD_ALL.xml").write_text(text, encoding="utf-8")
    return home


def _cloud_percent(product: Product) -> int:
    seen = ~product.edge
    if not seen.any():
        return 0
    return round(100 * float(np.mean((product.clouds[seen] & 2) > 0)))


def _write(path: Path, values: NDArray[np.generic], grid: Grid) -> None:
    profile: Mapping[str, object] = {
        "driver": "GTiff",
        "crs": grid.crs,
        "transform": grid.affine,
        "height": grid.height,
        "width": grid.width,
        "count": 1,
        "dtype": values.dtype.name,
        "compress": "deflate",
        "predictor": 2,
        "zlevel": 5,
    }
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(values, 1)
