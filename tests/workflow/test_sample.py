"""The sample of a map, as Snakemake draws it and as a person fills it in."""

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fgunet.grid import Grid
from fgunet.rasters import write_raster
from fgunet.vectors import find_layer, read_layer, write_layer

GRID = Grid("EPSG:3035", (10.0, 0.0, 4000000.0, 0.0, -10.0, 2900000.0), 90, 110)
POINTS = "results/sample/points.gpkg"


@pytest.fixture
def draw(root: Path, user_environment: dict[str, str], tmp_path: Path) -> Any:
    """Run the rule that draws, by itself."""
    (tmp_path / "Snakefile").write_text(
        f"""
config["seed"] = 1
METHODS, VERSION = ["fgunet"], "0"
NOMENCLATURE = "{root}/tables/oso17.yaml"
SAMPLE = dict(size=100, minimum_per_class=10)
SIMULATED, TILES = False, ["T31TCJ"]
include: "{root}/rules/resources.smk"
include: "{root}/rules/draw_sample.smk"
"""
    )

    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["snakemake", "--cores", "1", POINTS],
            cwd=tmp_path,
            env={**user_environment, "PYTHONPATH": str(root)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def write_map(folder: Path, seed: int) -> None:
    codes = np.random.default_rng(seed).choice([11, 31, 51], size=GRID.shape).astype(np.uint8)
    write_raster(folder / "results/maps/fgunet/mosaic_class.tif", codes, GRID, 0)


def test_a_map_that_changes_does_not_cost_a_person_their_labels(draw: Any, tmp_path: Path) -> None:
    path = tmp_path / POINTS
    write_map(tmp_path, 0)
    done = draw()
    assert done.returncode == 0, done.stderr
    points = read_layer(path, columns=find_layer(path).fields).drop(columns="feature_id")
    write_layer(path, points.assign(reference=11))
    before = path.read_bytes(), (path.parent / "strata.json").read_bytes()
    write_map(tmp_path, 1)
    done = draw()
    assert done.returncode != 0
    assert "has a class at 100 points; move it to a place of your own" in done.stderr
    assert (path.read_bytes(), (path.parent / "strata.json").read_bytes()) == before
    path.unlink()
    done = draw()
    assert done.returncode == 0, done.stderr
    assert (path.parent / "strata.json").read_bytes() != before[1]


def rules_run(done: Any) -> set[str]:
    assert done.returncode == 0, done.stderr
    return {line.split()[0] for line in done.stdout.splitlines() if line[:1].isalpha()}


def test_a_simulated_world_labels_its_sample(snakemake: Any, tmp_path: Path) -> None:
    done = snakemake(tmp_path, "--dry-run", "--quiet", "rules")
    assert {"draw_sample", "label_sample", "areas", "area_figure"} <= rules_run(done)


def test_a_persons_labels_take_the_place_of_the_draw(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    (tmp_path / "mine.gpkg").touch()
    shipped_config["accuracy"]["sample"]["labelled"] = "mine.gpkg"
    done = snakemake(tmp_path, "--dry-run", "--quiet", "rules", config=shipped_config)
    found = rules_run(done)
    assert {"areas", "area_figure"} <= found
    assert not found & {"draw_sample", "label_sample"}
    done = snakemake(tmp_path, "--dry-run", POINTS, config=shipped_config)
    assert done.returncode != 0
    assert "No rule to produce" in done.stdout + done.stderr
