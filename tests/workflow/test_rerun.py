"""What a change makes anew: that which depends on it, and nothing else."""

import os
import re
import shutil
import signal
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from fgunet.leftovers import RUN_VARIABLE, run_name
from tests.workflow.own_ground import LEFT, SIZE, product, write_configuration, write_product
from tests.workflow.own_ground import write_products as write_tile

pytestmark = pytest.mark.end_to_end

Jobs = dict[str, set[str]]
ONE, OTHER, THIRD = "T31TCJ", "T31TDJ", "T31TEJ"
BOTH = {ONE, OTHER}
RUN = "the run"
"""Stands for the tile of a job that is no tile's."""


def jobs(names: str, tiles: Iterable[str] = (RUN,)) -> Jobs:
    return {name: set(tiles) for name in names.split()}


def page(tiles: set[str] = BOTH) -> Jobs:
    return jobs("provenance report table_pages") | jobs("stac", {RUN, *tiles})


def shown(tiles: set[str] = BOTH) -> Jobs:
    """What follows from any map."""
    return (
        jobs("confusion context majority tile_sheet", tiles)
        | jobs("scores regularisation mosaic context_tables tables")
        | jobs("accuracy_figures comparison_figures context_figures data_figures")
        | page(tiles)
    )


def network(tiles: set[str] = BOTH) -> Jobs:
    """What follows from another plan of the training."""
    return (
        jobs("train_fgunet learning_time labels_seen_fgunet labels")
        | jobs("classify_fgunet", tiles)
        | shown(tiles)
    )


def forest(tiles: set[str] = BOTH) -> Jobs:
    return jobs("train_forest learning_time") | jobs("classify_forest", tiles) | shown(tiles)


def learning(labels: set[str], tiles: set[str] = BOTH) -> Jobs:
    """What follows from the labels that can be learned in some tiles: both models."""
    return (
        jobs("learnable_labels", labels)
        | jobs("learning_split sample_pixels training_statistics", tiles)
        | jobs("learnable_polygons labels_seen_forest training_plan")
        | network(tiles)
        | forest(tiles)
    )


def series(of: set[str], tiles: set[str] = BOTH) -> Jobs:
    return jobs("stack_series clear_count", of) | learning(of, tiles)


def products(of: set[str]) -> Jobs:
    """What follows from the products of some tiles; the reference does not."""
    return jobs("list_acquisitions", of) | jobs("check_inputs") | series(of)


def audit(tiles: set[str] = BOTH) -> Jobs:
    return jobs("audit_tile", tiles) | jobs("audit_reference check_inputs") | learning(tiles, tiles)


def split(tiles: set[str] = BOTH) -> Jobs:
    """What follows from the sides of the polygons; the series do not."""
    return (
        jobs("split_reference training_distances")
        | jobs("rasterise_reference", tiles)
        | audit(tiles)
    )


def reference(tiles: set[str] = BOTH) -> Jobs:
    return jobs("fuse_reference") | split(tiles)


def third_tile() -> Jobs:
    """All of the tile itself, and of the others what follows from the reference."""
    three = {*BOTH, THIRD}
    return reference(three) | jobs("tile_grid list_acquisitions stack_series clear_count", {THIRD})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, snakemake: Any) -> Path:
    """A finished run on two small tiles of the user's own, with products and sources inside."""
    folder = tmp_path_factory.mktemp("finished")
    config = write_configuration(folder, {ONE: LEFT, OTHER: LEFT + 10 * SIZE})
    config["nomenclature"] = "./classes.yaml"
    config["products"]["folder"] = "products"
    config["reference"]["sources"][0]["path"] = "stands.gpkg"
    config["fgunet"] = {
        "patch_size": 16, "jitter": 4, "width": 4, "dates_per_group": 3, "epochs": 1,
        "patches_per_epoch": 16, "validation_patches": 4, "batch_size": 2,
    }  # fmt: skip
    config["forest"] = {"trees": 3}
    config["accuracy"] = {"bootstrap_samples": 100}
    config["mapping"] = {"mosaic_crs": "EPSG:32631"}
    done = snakemake(folder, "--cores", "2", config=config)
    assert done.returncode == 0, done.stderr[-6000:]
    shutil.copy(folder / "config.yaml", folder / "finished.yaml")
    return folder


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to change at will."""
    return shutil.copytree(finished, tmp_path / "run", symlinks=True)


def configuration(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "finished.yaml").read_text(encoding="utf-8"))


def planned(done: Any) -> Jobs:
    """Rules and tiles of the files that are to be made, of what ``--summary`` prints."""
    assert done.returncode == 0, done.stderr
    found: Jobs = defaultdict(set)
    for line in done.stdout.splitlines()[1:]:
        path, _, rule, *_, plan = line.split("\t")
        if plan != "no update":
            tile = re.search(r"T\d\d[A-Z]{3}", path)
            found[rule].add(tile[0] if tile else RUN)
    return dict(found)


Change = Callable[[dict[str, Any], Path], None]


def value(*path_and_value: Any) -> Change:
    """Sets a value of the configuration."""
    *path, last, wanted = path_and_value

    def change(config: dict[str, Any], folder: Path) -> None:
        for key in path:
            config = config.setdefault(key, {})
        config[last] = wanted

    return change


def nothing(config: dict[str, Any], folder: Path) -> None:
    pass


def other_order(config: dict[str, Any], folder: Path) -> None:
    config["tiles"].reverse()
    config["fgunet"] = dict(reversed(config["fgunet"].items()))


def product_added(config: dict[str, Any], folder: Path) -> None:
    write_product(folder / "products" / "later", ONE, "20160309")


def product_gone(config: dict[str, Any], folder: Path) -> None:
    shutil.rmtree(product(folder / "products", ONE, "20160304"))


def product_delivered_again(config: dict[str, Any], folder: Path) -> None:
    shutil.rmtree(product(folder / "products", ONE, "20160304"))
    write_product(folder / "products", ONE, "20160304")


def tile_added(config: dict[str, Any], folder: Path) -> None:
    write_tile(folder / "products", THIRD, LEFT + 20 * SIZE)
    config["tiles"].append(THIRD)


def source_touched(config: dict[str, Any], folder: Path) -> None:
    (folder / "stands.gpkg").touch()


def source_changed(config: dict[str, Any], folder: Path) -> None:
    with (folder / "stands.gpkg").open("ab") as file:
        file.write(b"\0")


def source_added(config: dict[str, Any], folder: Path) -> None:
    shutil.copy(folder / "stands.gpkg", folder / "more.gpkg")
    source = {"name": "more", "path": "more.gpkg", "field": "CODE"}
    config["reference"]["sources"].append(source)


def colour_changed(config: dict[str, Any], folder: Path) -> None:
    path = folder / "classes.yaml"
    path.write_text(path.read_text().replace("[0, 50, 0]", "[0, 60, 0]"))


def class_renamed(config: dict[str, Any], folder: Path) -> None:
    path = folder / "classes.yaml"
    path.write_text(path.read_text().replace("coniferous", "conifers"))


CLASSIFIED = jobs("classify_fgunet classify_forest", BOTH) | shown()
CASES: dict[str, tuple[Change, Jobs]] = {
    "nothing": (nothing, {}),
    "order of tiles and keys": (other_order, page()),
    "title": (value("title", "Another"), page()),
    "product added": (product_added, products({ONE})),
    "product gone": (product_gone, products({ONE})),
    "product delivered again": (product_delivered_again, products({ONE})),
    "tile added": (tile_added, third_tile()),
    "products.masks": (value("products", "masks", {"snow": False}), products(BOTH)),
    "series.max_gap_days": (value("series", "max_gap_days", 50), series(BOTH)),
    "source touched": (source_touched, {}),
    "source changed": (source_changed, reference()),
    "source added": (source_added, reference()),
    "colour": (colour_changed, jobs("styles labels") | CLASSIFIED),
    "class renamed": (class_renamed, jobs("styles") | reference()),
    "split.test_share": (value("split", "test_share", 0.3), split()),
    # A tenth stands under validation_share already.
    "split.balance_tolerance": (value("split", "balance_tolerance", 0.1), split()),
    "fgunet.epochs": (value("fgunet", "epochs", 2), jobs("training_plan") | network()),
    "fgunet.jitter": (value("fgunet", "jitter", 3), audit()),
    "forest.trees": (value("forest", "trees", 4), forest()),
    "mapping.calibrated": (value("mapping", "calibrated", True), CLASSIFIED),
    "comparison.majority_radius": (
        value("comparison", "majority_radius", 2),
        jobs("majority", BOTH) | jobs("regularisation") | page(),
    ),
}


@pytest.mark.parametrize(("change", "expected"), CASES.values(), ids=CASES)
def test_what_depends_on_a_change_is_planned_and_nothing_else(
    folder: Path, snakemake: Any, change: Change, expected: Jobs
) -> None:
    config = configuration(folder)
    change(config, folder)
    assert planned(snakemake(folder, "--summary", config=config)) == expected


def test_a_copy_of_the_project_makes_nothing_anew_but_another_script_does(
    folder: Path, snakemake: Any, root: Path, tmp_path: Path
) -> None:
    """All of its files are younger than the results."""
    project = tmp_path / "project"
    for name in ("rules", "scripts", "tables", "fgunet", "profiles"):
        shutil.copytree(root / name, project / name, copy_function=shutil.copy)
    shutil.copy(root / "Snakefile", project)
    asked = ["--summary", "--snakefile", str(project / "Snakefile")]
    assert planned(snakemake(folder, *asked, config=configuration(folder))) == {}
    with (project / "scripts" / "data_figures.py").open("a") as script:
        script.write("# changed\n")
    done = snakemake(folder, *asked, config=configuration(folder))
    assert planned(done) == jobs("data_figures") | page()


def test_threads_and_memory_make_nothing_anew(folder: Path, snakemake: Any) -> None:
    others = ["--set-threads", "stack_series=1", "--set-resources", "train_forest:mem_mb=9000"]
    done = snakemake(folder, "--dry-run", *others, config=configuration(folder))
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_dry_run_tells_which_setting_changed(folder: Path, snakemake: Any) -> None:
    config = configuration(folder)
    config["series"]["max_gap_days"] = 51
    done = snakemake(folder, "--dry-run", "--quiet", "host", config=config)
    told = done.stdout + done.stderr
    reason = re.search(rf"{ONE}: stacking the regular dates\nReason: (.*)", told)[1]
    assert "Params have changed" in reason
    assert "before: 60" in reason
    assert "now: 51" in reason


def test_two_changes_at_once_and_a_kill_between_hide_nothing(folder: Path, snakemake: Any) -> None:
    """While the checks are to be made anew Snakemake looks at nothing below them."""
    config = configuration(folder)
    config["reference"]["minimum_area_m2"] = 401
    config["series"]["max_gap_days"] = 50
    before = {tile: stamp(folder, tile) for tile in BOTH}
    done = snakemake(folder, "--cores", "2", "--until", "stack_series", config=config)
    assert done.returncode == 0, done.stderr
    assert all(stamp(folder, tile) != before[tile] for tile in BOTH)
    # As if killed when the products of a tile were listed, and not yet stacked.
    listing = folder / "results" / "acquisitions" / f"{ONE}.json"
    listing.write_text(listing.read_text() + "\n")
    before = {tile: stamp(folder, tile) for tile in BOTH}
    done = snakemake(folder, "--cores", "2", "--until", "stack_series", config=config)
    assert done.returncode == 0, done.stderr
    assert {tile for tile in BOTH if stamp(folder, tile) != before[tile]} == {ONE}


def test_what_failed_is_made_anew_although_all_that_follows_is_there(
    folder: Path, snakemake: Any
) -> None:
    config = configuration(folder)
    config["reference"]["minimum_area_m2"] = 401
    source = folder / "stands.gpkg"
    kept, times = source.read_bytes(), source.stat()
    source.write_bytes(kept[:1000])
    done = snakemake(folder, "--cores", "2", config=config)
    assert done.returncode != 0
    assert not (folder / "results" / "reference" / "fused.gpkg").exists()
    source.write_bytes(kept)
    os.utime(source, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert planned(snakemake(folder, "--summary", config=config)) == reference()


@pytest.mark.parametrize(
    ("path", "follows"),
    [
        ("models/forest/forest.skops", forest()),
        (
            f"maps/fgunet/{ONE}_confidence.tif",
            jobs("classify_fgunet", {ONE}) | shown({ONE}) | page(),
        ),
        ("figures/acquisitions.svg", jobs("data_figures") | page()),
    ],
)
def test_what_is_missing_is_made_anew_although_all_that_follows_is_there(
    folder: Path, snakemake: Any, path: str, follows: Jobs
) -> None:
    (folder / "results" / path).unlink()
    done = snakemake(folder, "--summary", config=configuration(folder))
    assert planned(done) == follows


def test_what_a_change_removed_is_made_anew_when_it_is_taken_back(
    folder: Path, snakemake: Any
) -> None:
    """Snakemake removes the results of a job before it starts; here it fails."""
    config, sample = configuration(folder), folder / "results" / "samples" / f"{ONE}.parquet"
    kept, times = sample.read_bytes(), sample.stat()
    sample.write_bytes(kept[:1000])
    os.utime(sample, ns=(times.st_atime_ns, times.st_mtime_ns))
    config["forest"]["trees"] += 1
    done = snakemake(folder, "--cores", "2", "--until", "train_forest", config=config)
    assert done.returncode != 0
    assert not (folder / "results" / "models" / "forest" / "forest.skops").exists()
    sample.write_bytes(kept)
    os.utime(sample, ns=(times.st_atime_ns, times.st_mtime_ns))
    config["forest"]["trees"] -= 1
    assert planned(snakemake(folder, "--summary", config=config)) == forest()


def test_what_a_killed_run_left_is_cleared_although_nothing_is_to_be_done(
    folder: Path, snakemake: Any
) -> None:
    part = folder / "results" / "maps" / ".a.0123456789ab.part.tif"
    part.touch()
    orphan = subprocess.Popen(["sleep", "300"], env=os.environ | {RUN_VARIABLE: run_name(folder)})
    try:
        config = configuration(folder)
        assert "ended what" not in snakemake(folder, "--dry-run", config=config).stderr
        assert orphan.poll() is None
        done = snakemake(folder, "--cores", "2", config=config)
        assert done.returncode == 0, done.stderr
        assert "Nothing to be done" in done.stderr
        assert f"ended what a killed run had left at work in .: sleep ({orphan.pid})" in done.stderr
        assert orphan.wait(10) == -signal.SIGTERM
    finally:
        orphan.kill()
    assert not part.exists()


def stamp(folder: Path, tile: str) -> int:
    return (folder / "results" / "series" / f"{tile}.zarr" / "zarr.json").stat().st_mtime_ns


def test_products_on_another_grid_are_refused_until_the_reference_may_follow(
    folder: Path, snakemake: Any
) -> None:
    config = configuration(folder)
    for path in (folder / "products").glob(f"*_{ONE}_*"):
        shutil.rmtree(path)
    write_tile(folder / "products", ONE, LEFT + 100)
    grid, checked = Path("results/grids") / f"{ONE}.json", "results/inputs_checked.json"
    done = snakemake(folder, "--cores", "2", checked, config=config)
    assert done.returncode != 0
    assert "GridError" in done.stderr
    assert f"remove {grid}" in done.stderr
    (folder / grid).unlink()
    done = snakemake(folder, "--cores", "2", checked, config=config)
    assert done.returncode == 0, done.stderr
    assert "fusing the reference sources" in done.stderr


MAPPING = [
    "tile_grid",
    "list_acquisitions",
    "stack_series",
    "classify_fgunet",
    "classify_forest",
    "mosaic",
]


@pytest.mark.parametrize(("change", "mapped"), [(product_added, ONE), (tile_added, THIRD)])
def test_a_tile_is_mapped_with_the_models_that_are_there(
    folder: Path, snakemake: Any, change: Change, mapped: str
) -> None:
    config = configuration(folder)
    change(config, folder)
    results = folder / "results"
    kept = [*results.glob("models/*/*"), *results.glob(f"maps/*/{OTHER}_class.tif")]
    before = {path: path.stat().st_mtime_ns for path in kept}
    wanted = [f"results/maps/{method}/mosaic_class.tif" for method in ("fgunet", "forest")]
    mosaics = [(folder / path).read_bytes() for path in wanted]
    done = snakemake(folder, "--cores", "2", *wanted, "--allowed-rules", *MAPPING, config=config)
    assert done.returncode == 0, done.stderr
    assert all(
        (results / f"maps/{method}/{mapped}_class.tif").exists() for method in ("fgunet", "forest")
    )
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    assert all(
        (folder / path).read_bytes() != old for path, old in zip(wanted, mosaics, strict=True)
    )
