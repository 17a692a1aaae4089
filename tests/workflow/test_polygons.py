"""Polygons of the maps are made where the configuration asks for them."""

import re
from pathlib import Path
from typing import Any

REASON = re.compile(r"Missing output files: results/maps/(\w+)/(\w+)_polygons\.gpkg;(.*)")


def test_polygons_of_every_tile_and_method(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    shipped_config["mapping"]["polygon_minimum_m2"] = 5000
    shipped_config["mapping"]["regularisation"] = {"forest": {"majority_radius": 1}}
    done = snakemake(tmp_path, "--dry-run", config=shipped_config)
    assert done.returncode == 0, done.stderr
    inputs = {(method, tile): made_of for method, tile, made_of in REASON.findall(done.stdout)}
    tiles = shipped_config["tiles"]
    assert inputs.keys() == {(method, tile) for method in ("fgunet", "forest") for tile in tiles}
    for (method, tile), made_of in inputs.items():
        kind = {"fgunet": "class", "forest": "regularised"}[method]
        maps = set(re.findall(r"results/maps/\S+?\.tif", made_of))
        folder = f"results/maps/{method}/{tile}"
        assert maps == {f"{folder}_{kind}.tif", f"{folder}_confidence.tif"}


def test_none_where_no_area_is_given(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    shipped_config["mapping"]["polygon_minimum_m2"] = None
    done = snakemake(tmp_path, "--dry-run", config=shipped_config)
    assert done.returncode == 0, done.stderr
    assert "_class.tif" in done.stdout
    assert "_polygons.gpkg" not in done.stdout
