"""Bad input ends in one clear error, before any work starts."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from affine import Affine

from fgunet.vectors import write_layer

LEFT, TOP, SIZE = 500000, 4800000, 32
DATES = [f"2016{month:02d}{day:02d}" for month in range(1, 7) for day in (4, 19)]
BANDS = ["B2", "B3", "B4", "B8"]


def product(folder: Path, tile: str, date: str) -> Path:
    return folder / f"SENTINEL2A_{date}-105818-575_L2A_{tile}_D_V1-4"


def write_band(path: Path, values: np.ndarray, size_m: int, left: float = LEFT) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="GTiff", dtype=values.dtype, count=1, crs="EPSG:32631",
        height=values.shape[0], width=values.shape[1],
        transform=Affine(size_m, 0, left, 0, -size_m, TOP),
    ) as dataset:  # fmt: skip
        dataset.write(values, 1)


def write_products(folder: Path, tile: str) -> None:
    generator = np.random.default_rng(7)
    for date in DATES:
        path = product(folder, tile, date)
        for band in BANDS:
            values = generator.integers(200, 4000, (SIZE, SIZE), dtype=np.int16)
            write_band(path / f"{path.name}_FRE_{band}.tif", values, 10)
        mask = np.zeros((SIZE // 2, SIZE // 2), np.uint8)
        write_band(path / "MASKS" / f"{path.name}_CLM_R2.tif", mask, 20)


def write_polygons(path: Path, codes: list[int]) -> None:
    cells = [(x, y) for y in range(0, 320, 80) for x in range(0, 320, 40)]
    boxes = [
        shapely.box(LEFT + x, TOP - y - 60, LEFT + x + 30, TOP - y) for x, y in cells[: len(codes)]
    ]
    frame = gpd.GeoDataFrame({"CODE": codes}, geometry=boxes, crs="EPSG:32631")
    write_layer(path, frame, layer="stands")


@pytest.fixture
def tiny(tmp_path: Path, root: Path) -> dict[str, Any]:
    """A configuration that is right, on one tile of 320 m of the user's own."""
    write_products(tmp_path / "products", "T31TCJ")
    write_polygons(tmp_path / "stands.gpkg", [31, 32] * 8)
    nomenclature = tmp_path / "classes.yaml"
    nomenclature.write_text(
        "name: two classes\nclasses:\n"
        "  - {code: 31, name: broad-leaved, colour: [0, 156, 0]}\n"
        "  - {code: 32, name: coniferous, colour: [0, 50, 0]}\n"
    )
    return {
        "title": "Tiny",
        "seed": 1,
        "nomenclature": str(nomenclature),
        "tiles": ["T31TCJ"],
        "products": {
            "family": "theia",
            "folder": str(tmp_path / "products"),
            "bands": ["B02", "B03", "B04", "B08"],
        },
        "series": {"first_date": "20160110", "n_dates": 9, "step_days": 20},
        "reference": {
            "crs": "EPSG:32631",
            "sources": [{"name": "stands", "path": str(tmp_path / "stands.gpkg"), "field": "CODE"}],
        },
        "fgunet": {"patch_size": 16},
    }


Change = Callable[[dict[str, Any], Path], None]


def misspelt(config: dict[str, Any], folder: Path) -> None:
    config["split"] = {"test_shares": 0.3}
    config["forest"] = {"tree": 10}


def tile_without_products(config: dict[str, Any], folder: Path) -> None:
    config["tiles"] = ["T31TCJ", "T31TDK"]


def few_dates(config: dict[str, Any], folder: Path) -> None:
    config["series"]["minimum_acquisitions"] = 13


def missing_band(config: dict[str, Any], folder: Path) -> None:
    config["products"]["bands"].append("B11")


def missing_field(config: dict[str, Any], folder: Path) -> None:
    config["reference"]["sources"][0]["field"] = "CLASS"


def unknown_codes(config: dict[str, Any], folder: Path) -> None:
    write_polygons(folder / "stands.gpkg", [31, 32] * 8 + [99, 98])


def few_polygons(config: dict[str, Any], folder: Path) -> None:
    write_polygons(folder / "stands.gpkg", [31] * 8 + [32] * 2)


def indivisible_dates(config: dict[str, Any], folder: Path) -> None:
    config["series"]["n_dates"] = 7


def other_grid(config: dict[str, Any], folder: Path) -> None:
    path = product(folder / "products", "T31TCJ", DATES[3])
    for band in BANDS:
        values = np.full((SIZE, SIZE), 500, np.int16)
        write_band(path / f"{path.name}_FRE_{band}.tif", values, 10, left=LEFT + 100)
    mask = np.zeros((SIZE // 2, SIZE // 2), np.uint8)
    write_band(path / "MASKS" / f"{path.name}_CLM_R2.tif", mask, 20, left=LEFT + 100)


CASES: list[tuple[Change, list[str]]] = [
    (misspelt, ["split: unknown key 'test_shares'", "forest: unknown key 'tree'"]),
    (tile_without_products, ["MissingAcquisitionError", "T31TDK", "products"]),
    (few_dates, ["MissingAcquisitionError", "T31TCJ", "13", "12"]),
    (missing_band, ["ProductError", "B11", "SENTINEL2A_20160104"]),
    (missing_field, ["ReferenceDataError", "stands.gpkg", "no field CLASS", "CODE"]),
    (unknown_codes, ["stands.gpkg", "98", "99"]),
    (few_polygons, ["SplitError", "32", "2"]),
    (indivisible_dates, ["7 dates cannot be cut into groups"]),
    (other_grid, ["GridError", DATES[3], "500100"]),
]


@pytest.mark.parametrize(("change", "said"), CASES, ids=[change.__name__ for change, _ in CASES])
def test_bad_input_stops_before_any_work(
    tiny: dict[str, Any], snakemake: Any, tmp_path: Path, change: Change, said: list[str]
) -> None:
    change(tiny, tmp_path)
    done = snakemake(tmp_path, "--cores", "2", config=tiny)
    assert done.returncode != 0
    for part in said:
        assert part in done.stderr, done.stderr
    assert not (tmp_path / "results" / "series").exists()


def test_the_right_configuration_passes_the_checks(
    tiny: dict[str, Any], snakemake: Any, tmp_path: Path
) -> None:
    done = snakemake(tmp_path, "--cores", "2", "results/inputs_checked.json", config=tiny)
    assert done.returncode == 0, done.stderr


def test_a_tile_with_another_product_is_listed_again(
    tiny: dict[str, Any], snakemake: Any, tmp_path: Path
) -> None:
    first = snakemake(tmp_path, "--cores", "2", "results/inputs_checked.json", config=tiny)
    assert first.returncode == 0, first.stderr
    shutil.copytree(
        product(tmp_path / "products", "T31TCJ", DATES[0]),
        product(tmp_path / "products" / "later", "T31TCJ", DATES[0].replace("04", "09")),
    )
    plan = snakemake(tmp_path, "--dry-run", "results/inputs_checked.json", config=tiny)
    assert "list_acquisitions" in plan.stdout
