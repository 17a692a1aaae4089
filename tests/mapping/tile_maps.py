"""Small maps of tiles, as the chain writes them."""

from pathlib import Path
from typing import Any

import numpy as np

from fgunet.grid import Grid, Window
from fgunet.mapping.mosaic_tiles import TileMaps
from fgunet.mapping.tags import class_tags
from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.rasters import create_raster

NOMENCLATURE = Nomenclature(
    "three classes",
    tuple(LandCoverClass(code, f"class {code}", (code, 1, 2), "") for code in (11, 44, 222)),
)


def put(
    folder: Path,
    tile: str,
    codes: np.ndarray,
    confidence: np.ndarray,
    origin: tuple[float, float],
    /,
    **tags: Any,
) -> TileMaps:
    """Write the maps of a tile, whose name says its UTM zone."""
    grid = Grid(f"EPSG:326{tile[1:3]}", (10.0, 0.0, origin[0], 0.0, -10.0, origin[1]), *codes.shape)
    maps = TileMaps(tile, str(folder / f"{tile}_class.tif"), str(folder / f"{tile}_confidence.tif"))
    write(maps.path_to_class, codes, grid, 0, {**class_tags(NOMENCLATURE), **tags})
    write(maps.path_to_confidence, confidence, grid, 255, {"unit": "percent", **tags})
    return maps


def write(path: str, values: np.ndarray, grid: Grid, nodata: int, tags: dict[str, str]) -> None:
    """Write one map; tags of None are left out."""
    kept = {name: text for name, text in tags.items() if text is not None}
    with create_raster(path, grid, values.dtype.name, nodata, tags=kept) as put_window:
        put_window(Window(0, 0, *grid.shape), values)


def random_tile(seed: int, shape: tuple[int, int] = (150, 170)) -> tuple[np.ndarray, np.ndarray]:
    """Codes and confidence, a quarter of them nodata."""
    random = np.random.default_rng(seed)
    codes = random.choice(np.array([0, 11, 44, 222], np.uint8), shape)
    confidence = random.integers(0, 101, shape, dtype=np.uint8)
    confidence[codes == 0] = 255
    return codes, confidence
