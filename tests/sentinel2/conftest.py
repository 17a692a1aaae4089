"""Small Theia products, written where a test asks for them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.sentinel2.bands import BANDS

SIZE = 12
NAME = "SENTINEL2A_20180105-105432-457_L2A_T31TCJ_C_V2-2"

WriteProduct = Callable[..., Path]


def grid_of_size(resolution: float, size: int = SIZE, left: float = 600000.0) -> Grid:
    cells = int(size * 10 // resolution)
    return Grid("EPSG:32631", (resolution, 0.0, left, 0.0, -resolution, 5e6), cells, cells)


@pytest.fixture
def write_product(tmp_path: Path) -> WriteProduct:
    """Write a product folder; `bands` and `masks` replace what stands in single files.

    `inside` is the name that the files carry, by default the folder's; `nodata` is what the files
    of bands declare, and `metadata` the text of the metadata file, without which there is none.
    """

    def write(
        name: str = NAME,
        *,
        folder: str = "products",
        names: tuple[str, ...] = ("B02", "B11"),
        bands: Mapping[str, NDArray[np.int16]] | None = None,
        masks: Mapping[str, NDArray[np.uint8]] | None = None,
        value: int = 1000,
        left: float = 600000.0,
        reflectance: str = "FRE",
        inside: str | None = None,
        nodata: int | None = None,
        metadata: str | None = None,
    ) -> Path:
        product = tmp_path / folder / name
        stem = inside or name
        for band in names:
            resolution = BANDS[band].resolution_m
            grid = grid_of_size(resolution, left=left)
            values = (bands or {}).get(band, np.full(grid.shape, value, np.int16))
            path = product / f"{stem}_{reflectance}_{BANDS[band].theia_name}.tif"
            write_raster(path, values, grid, nodata)
        clear = {"CLM_R1": np.zeros((SIZE, SIZE), np.uint8)} if masks is None else masks
        for kind, mask in clear.items():
            grid = grid_of_size(20 if kind.endswith("R2") else 10, left=left)
            write_raster(product / "MASKS" / f"{stem}_{kind}.tif", mask, grid, None)
        if metadata is not None:
            (product / f"{stem}_MTD_ALL.xml").write_text(metadata, encoding="utf-8")
        return product

    return write
