"""A run in which every name that a user may choose is hostile to shells, SQL and formats."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
import rasterio
import yaml

from fgunet.grid import Window
from fgunet.nomenclature import read_nomenclature
from fgunet.series.store import SeriesStore
from fgunet.vectors import write_layer
from tests.workflow.own_ground import DATES, product, write_polygons, write_products

NAME = "-a b'c\"d$(touch pwned)`touch pwned`&|é%s*[x]\\ #~> pwned"
"""Of a file or folder; a path with ; ? or ! is refused for a source (test_sources.py)."""
WORSE = f"{NAME};touch pwned;?!"
TEXT = f"{WORSE} <script>$x$"
SQL = "x\"'; DROP TABLE gpkg_contents; --$(touch pwned)"
CODES = ["=1+1", "$(touch pwned)"]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """Where the run is; even its name has a line break."""
    folder = tmp_path / f"{WORSE}\n" / "run"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def config(tmp_path: Path, run_folder: Path) -> dict[str, Any]:
    """A configuration that is right. Its paths start from the folder of the run."""
    write_products(run_folder / WORSE, "T31TCJ")
    write_siblings(run_folder / WORSE)
    write_source(run_folder / f"{NAME}.gpkg", tmp_path)
    table = "".join(f'{code},{31 + place},"{TEXT.replace(chr(34), "")}"\n' for place, code in
                    enumerate(CODES))  # fmt: skip
    (run_folder / f"{WORSE}.csv").write_text(f"source_code,code,meaning\n{table}")
    classes = [{"code": 31 + n, "name": f"{n} {TEXT}", "colour": [n, 0, 0]} for n in range(2)]
    (run_folder / f"{WORSE}.yaml").write_text(yaml.safe_dump({"name": TEXT, "classes": classes}))
    return {
        "title": TEXT,
        "seed": 1,
        "nomenclature": f"{WORSE}.yaml",
        "tiles": ["T31TCJ"],
        "products": {"folder": WORSE, "bands": ["B02", "B03", "B04", "B08"]},
        "series": {"first_date": "20160110", "n_dates": 9, "step_days": 20},
        "reference": {
            "crs": "EPSG:32631",
            "sources": [
                {
                    "name": "stands", "path": f"{NAME}.gpkg", "layer": SQL, "field": SQL,
                    "translation": f"{WORSE}.csv",
                }
            ],
        },
        "fgunet": {"patch_size": 16},
        "accuracy": {"sample": {"labelled": f"{NAME}.gpkg"}},
    }  # fmt: skip


def write_siblings(folder: Path) -> None:
    """What is no product, though it is named nearly like one."""
    right = product(folder, "T31TCJ", DATES[0]).name
    for name in (
        f"{right}; touch pwned",
        f"{right}\n",
        f"../{right}x",
        "$(touch pwned).SAFE",
        "-rf",
    ):
        (folder / name).mkdir()
    (folder / f"{right} .zip").write_bytes(b"no archive")
    (folder / "\n\x1b[2J.json").write_text('{"stac_version')


def write_source(path: Path, folder: Path) -> None:
    """Written in a plain folder first: pyogrio takes a part of the other's path for an address."""
    write_polygons(folder / "codes.gpkg", [31, 32] * 8)
    frame = gpd.read_file(folder / "codes.gpkg")
    frame[SQL] = [CODES[code - 31] for code in frame.pop("CODE")]
    write_layer(folder / "source.gpkg", frame, layer=SQL)
    (folder / "source.gpkg").rename(path)


def snakemake(
    root: Path, folder: Path, config: dict[str, Any], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    """Run the workflow in a folder, from elsewhere."""
    path = folder / "configuration.yaml"
    path.write_text(yaml.safe_dump(config))
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = ["snakemake", "--snakefile", root / "Snakefile", "--directory", folder,
               "--configfile", path, "--cores", "2", *arguments]  # fmt: skip
    return subprocess.run(
        list(map(str, command)), cwd=folder.parents[1], env={**os.environ, "PATH": binaries},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_hostile_names_are_names(root: Path, run_folder: Path, config: dict[str, Any]) -> None:
    results = run_folder / "results"
    wanted = ["results/series/T31TCJ.zarr", "results/reference/T31TCJ_code.tif"]
    done = snakemake(root, run_folder, config, *wanted)
    assert done.returncode == 0, done.stderr
    listing = json.loads((results / "acquisitions/T31TCJ.json").read_text())
    assert len(listing["kept"]) == 12
    assert SeriesStore(results / "series/T31TCJ.zarr").read_clear_count(
        Window(0, 0, 32, 32)
    ).max() == 12  # fmt: skip
    with rasterio.open(results / "reference/T31TCJ_code.tif") as codes:
        assert set(codes.read(1).flat) == {0, 31, 32}
    names = read_nomenclature(run_folder / f"{WORSE}.yaml").names
    assert names == {31: f"0 {TEXT}", 32: f"1 {TEXT}"}
    # The whole plan too: captions, tables and figures carry the names.
    plan = snakemake(root, run_folder, config, "--dry-run")
    assert plan.returncode == 0, plan.stderr
    for place in (run_folder.parents[1], root):
        assert [path for path in place.rglob("pwned") if ".venv" not in path.parts] == []


def test_a_hostile_block_run_is_one_error(
    root: Path, run_folder: Path, config: dict[str, Any]
) -> None:
    config["accuracy"]["block_run"] = f"../{WORSE}"
    done = snakemake(root, run_folder, config, "--dry-run")
    assert done.returncode != 0
    assert WORSE in done.stderr
    assert "Error" in done.stderr
    assert "Traceback" not in done.stderr
