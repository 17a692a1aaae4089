"""Products and polygons of a user's own: tiles of 320 m, six months of Theia products."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from affine import Affine

from fgunet.vectors import write_layer

LEFT, TOP, SIZE = 500000, 4800000, 32
DATES = [f"2016{month:02d}{day:02d}" for month in range(1, 7) for day in (4, 19)]
BANDS = ["B2", "B3", "B4", "B8"]


def product(folder: Path, tile: str, date: str) -> Path:
    """Where a product of a day lies."""
    return folder / f"SENTINEL2A_{date}-105818-575_L2A_{tile}_D_V1-4"


def write_band(path: Path, values: np.ndarray, size_m: int, left: float = LEFT) -> None:
    """Write a file of a product."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", dtype=values.dtype, count=1, crs="EPSG:32631",
        height=values.shape[0], width=values.shape[1],
        transform=Affine(size_m, 0, left, 0, -size_m, TOP),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)


def write_product(folder: Path, tile: str, date: str, left: float = LEFT) -> Path:
    """Write a product: its bands, of noise, and a mask without clouds."""
    path = product(folder, tile, date)
    generator = np.random.default_rng(int(date))
    for band in BANDS:
        values = generator.integers(200, 4000, (SIZE, SIZE), dtype=np.int16)
        write_band(path / f"{path.name}_FRE_{band}.tif", values, 10, left)
    mask = np.zeros((SIZE // 2, SIZE // 2), np.uint8)
    write_band(path / "MASKS" / f"{path.name}_CLM_R2.tif", mask, 20, left)
    return path


def write_products(folder: Path, tile: str, left: float = LEFT) -> None:
    """Write a tile's products of all days."""
    for date in DATES:
        write_product(folder, tile, date, left)


def write_polygons(path: Path, codes: list[int], lefts: Sequence[float] = (LEFT,)) -> None:
    """Write polygons of these codes on each of some tiles, 32 at most."""
    cells = [(x, y) for y in range(0, 320, 80) for x in range(0, 320, 40)][: len(codes)]
    boxes = [
        shapely.box(one + x, TOP - y - 60, one + x + 30, TOP - y) for one in lefts for x, y in cells
    ]
    frame = gpd.GeoDataFrame({"CODE": codes * len(lefts)}, geometry=boxes, crs="EPSG:32631")
    write_layer(path, frame, layer="stands")


def write_configuration(folder: Path, lefts: dict[str, float]) -> dict[str, Any]:
    """Write products and polygons of tiles, and give a configuration that is right for them."""
    for tile, left in lefts.items():
        write_products(folder / "products", tile, left)
    write_polygons(folder / "stands.gpkg", [31, 32] * 8, list(lefts.values()))
    nomenclature = folder / "classes.yaml"
    nomenclature.write_text(
        "name: two classes\nclasses:\n"
        "  - {code: 31, name: broad-leaved, colour: [0, 156, 0]}\n"
        "  - {code: 32, name: coniferous, colour: [0, 50, 0]}\n"
    )
    return {
        "title": "Tiny",
        "seed": 1,
        "nomenclature": str(nomenclature),
        "tiles": list(lefts),
        "products": {"folder": str(folder / "products"), "bands": ["B02", "B03", "B04", "B08"]},
        "series": {"first_date": "20160110", "n_dates": 9, "step_days": 20},
        "reference": {
            "crs": "EPSG:32631",
            "sources": [{"name": "stands", "path": str(folder / "stands.gpkg"), "field": "CODE"}],
        },
        "fgunet": {"patch_size": 16},
    }
