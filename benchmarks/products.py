"""Simulated products, and a series of them made as the workflow does it, for other benchmarks.

A year of 70 acquisitions in the files of Theia, as the simulator writes them (deflate, strips as
wide as the tile), of a tile of 2048 x 2048 and one of 2048 x 4096 pixels. Run alone, this makes
the products: four minutes and 5 GB, once.

The ground that is simulated has 1024 x 1024 pixels and is mirrored at its edges: to simulate all
would take a quarter of an hour and several GB. A line and its mirror image hold no bytes twice
that deflate could save, but the lines of the wider tile repeat: it serves to compare memory, not
speed. It is not higher as well, because that would take twice the time and space.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from fgunet.files import atomic_path, read_json
from fgunet.grid import Grid
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.series.dates import dates_of
from fgunet.simulate.calendar import Pass
from fgunet.simulate.catalogue import read_catalogue
from fgunet.simulate.landscape import build_landscape, read_landscape, write_landscape
from fgunet.simulate.products import make_products
from fgunet.simulate.randomness import generator
from fgunet.simulate.scene import view_landscape
from fgunet.simulate.sites import Placement, group_sites, place_tile
from fgunet.simulate.theia import Product, write_product

ROOT = Path(__file__).resolve().parents[1]
WORK = ROOT / "benchmarks" / "work"
TILE, SIMULATED, COUNT, SEED = "T31TEL", 1024, 70, 2016
SHAPE, WIDER = (2048, 2048), (2048, 4096)
SHAPES = (SHAPE, WIDER)
THREADS = 2


class Job(NamedTuple):
    """Seconds of a job without its imports, of its whole process, and peak memory in GB."""

    seconds: float
    whole: float
    peak: float


# The peak of the process itself is that of /proc: ru_maxrss counts what its parent had, too.
CHILD = """
import importlib, json, pathlib, re, resource, sys, time
import dask.array, numba, xarray
script = importlib.import_module(sys.argv[1])
begin = time.perf_counter()
script.main(**json.loads(sys.argv[2]))
seconds = time.perf_counter() - begin
own = re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(seconds, (int(own[1]) + children) * 1024 / 1e9)
"""


def products_folder(folder: Path, shape: tuple[int, int]) -> Path:
    """Where the products of the tile of a shape, one of `SHAPES`, lie; made if they do not."""
    if not (folder / "products").exists():
        with atomic_path(folder / "products") as part:
            _make(part)
    return folder / "products" / name_of(shape)


def shipped() -> dict[str, Any]:
    """The shipped configuration."""
    config: dict[str, Any] = yaml.safe_load((ROOT / "workflow_config.yaml").read_text())
    return config


def name_of(shape: tuple[int, int]) -> str:
    """By which the files of the tile of a shape are called."""
    return f"{shape[0]}x{shape[1]}"


def _make(folder: Path) -> None:
    for shape in SHAPES:
        (folder / name_of(shape)).mkdir(parents=True)
    (site,) = group_sites([_placement()])
    with tempfile.TemporaryDirectory() as ground, ProcessPoolExecutor(2) as pool:
        write_landscape(ground, build_landscape(site, read_catalogue(), seed=SEED))
        parts = [_passes()[part::2] for part in range(2)]
        list(pool.map(_simulate, parts, [ground] * 2, [site.name] * 2, [folder] * 2))


def _placement() -> Placement:
    return place_tile(TILE, size=SIMULATED, **shipped()["simulation"]["tiles"][TILE])


def _passes() -> list[Pass]:
    """Every fifth day a look from one of two orbits: clear, broken or overcast."""
    rng = generator(SEED, "benchmark")
    first = datetime(2016, 1, 3, 10, 40, tzinfo=UTC)
    return [
        Pass(
            time=first + timedelta(days=5 * i, seconds=i),
            cloudiness=float(rng.choice([0.0, rng.uniform(0.05, 0.9), 1.0], p=[0.5, 0.45, 0.05])),
            edge=float(rng.uniform(0.1, 0.6)) if i % 6 == 5 else None,
            versions=("V1-4",),
        )
        for i in range(COUNT)
    ]


def _simulate(passes: Sequence[Pass], ground: str, site: str, folder: Path) -> None:
    catalogue, landscape = read_catalogue(), read_landscape(ground)
    scene = view_landscape(landscape, _placement().grid, catalogue, seed=SEED, region=site)
    for product in make_products(
        scene, passes, catalogue, tile=TILE, site=site, ground=landscape.grid,
        kind=landscape.kind, seed=SEED,
    ):  # fmt: skip
        for shape in SHAPES:
            write_product(folder / name_of(shape), enlarged(product, shape))


def enlarged(product: Product, shape: tuple[int, int]) -> Product:
    """A product mirrored at its lower and right edges until it has `shape`."""
    half = shape[0] // 2, shape[1] // 2
    return replace(
        product,
        grid=Grid(product.grid.crs, product.grid.transform, *shape),
        fine=_mirrored(product.fine, shape),
        coarse=_mirrored(product.coarse, half),
        clouds=_mirrored(product.clouds, shape),
        edge=_mirrored(product.edge, shape),
    )


def _mirrored(values: NDArray[Any], shape: tuple[int, int]) -> NDArray[Any]:
    beyond = [(0, side - there) for side, there in zip(shape, values.shape[-2:], strict=True)]
    return np.pad(values, [(0, 0)] * (values.ndim - 2) + beyond, mode="symmetric")


def listing(folder: Path, shape: tuple[int, int]) -> Path:
    """The acquisitions of a tile of a shape, listed as the workflow does it."""
    products, series = shipped()["products"], shipped()["series"]
    path, path_to_grid = folder / f"{name_of(shape)}.json", folder / f"{name_of(shape)}_grid.json"
    about = {"tile": TILE, "locations": [str(products_folder(folder, shape))]}
    keys = "family", "collections", "bands", "reflectance"
    _in_fresh_process(
        "tile_grid",
        folder,
        **about,
        **{key: products[key] for key in keys},
        dates=(dates()[0], dates()[-1]),
        path_to_grid=str(path_to_grid),
    )
    _in_fresh_process(
        "list_acquisitions",
        folder,
        **about,
        products={key: value for key, value in products.items() if key != "folder"},
        dates=dates(),
        margin_days=series["margin_days"],
        minimum_acquisitions=series["minimum_acquisitions"],
        threads=THREADS,
        path_to_grid=str(path_to_grid),
        path_to_acquisitions=str(path),
    )
    return path


def stack(folder: Path, shape: tuple[int, int], acquisitions: Path) -> Job:
    """Stack a tile as the workflow does it."""
    path = series_path(folder, shape)
    shutil.rmtree(path, ignore_errors=True)
    return _in_fresh_process(
        "stack_series",
        folder,
        path_to_acquisitions=str(acquisitions),
        bands=shipped()["products"]["bands"],
        dates=dates(),
        max_gap_days=shipped()["series"]["max_gap_days"],
        threads=THREADS,
        memory_mb=_memory_of_the_rule(),
        path_to_series=str(path),
    )


def series_path(folder: Path, shape: tuple[int, int]) -> Path:
    """Where the series of a tile of a shape is written."""
    return folder / f"{name_of(shape)}.zarr"


def dates() -> tuple[str, ...]:
    """The regular dates of the shipped configuration."""
    keys = ("first_date", "n_dates", "step_days", "dates")
    return dates_of(**{key: shipped()["series"].get(key) for key in keys})


def _memory_of_the_rule() -> float:
    rules = (ROOT / "rules" / "series.smk").read_text()
    found = re.search(r"mem_mb=memory\((\d+), (\d+)\)", rules)
    if found is None:
        raise SystemExit("rules/series.smk: no memory of stack_series found")
    return float(found[1]) + THREADS * float(found[2])


def _in_fresh_process(script: str, folder: Path, **values: object) -> Job:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "scripts"), str(ROOT)]),
        "NUMBA_CACHE_DIR": str(folder / "machine_code"),
    }
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", CHILD, script, json.dumps(values)],
        check=True, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    whole = time.perf_counter() - begin
    seconds, peak = (float(number) for number in done.stdout.split()[-2:])
    return Job(seconds, whole, peak)


def listed(path: Path) -> list[Acquisition]:
    """The acquisitions of a listing."""
    return [Acquisition.from_dict(value) for value in read_json(path)["kept"]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=WORK, help="where the products are kept")
    folder = parser.parse_args().folder
    for shape in SHAPES:
        print(f"{name_of(shape)}: {products_folder(folder, shape)}")


if __name__ == "__main__":
    main()
