"""The rules as Snakemake sees them."""

import fcntl
import re
from pathlib import Path
from typing import Any

import pytest

RULES = re.compile(r"^(?:rule|checkpoint) (\w+):", flags=re.MULTILINE)


def rule_blocks(root: Path) -> dict[str, str]:
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted((root / "rules").glob("*.smk")))
    names = RULES.findall(text)
    return dict(zip(names, RULES.split(text)[2::2], strict=True))


def test_dry_run_of_the_shipped_configuration(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    done = snakemake(tmp_path, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    jobs, n_tiles = jobs_of(done), len(shipped_config["tiles"])
    assert jobs["stack_series"] == jobs["classify_fgunet"] == n_tiles
    assert jobs["learnable_labels"] == jobs["learning_split"] == n_tiles
    assert jobs["train_fgunet"] == jobs["train_forest"] == jobs["report"] == 1


def jobs_of(done: Any) -> dict[str, int]:
    found = re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.MULTILINE)
    return {name: int(count) for name, count in found}


def test_each_budget_trains_and_maps_with_both_methods(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    shipped_config["comparison"]["learning_curve"] = [0.25, 0.5]
    done = snakemake(tmp_path, "--dry-run", "--quiet", "rules", config=shipped_config)
    assert done.returncode == 0, done.stderr
    jobs, n_tiles = jobs_of(done), len(shipped_config["tiles"])
    assert jobs["learning_split"] == 3 * n_tiles
    assert jobs["curve_train_fgunet"] == jobs["curve_train_forest"] == 2
    assert jobs["curve_confusion"] == 2 * n_tiles
    assert jobs["learning_curve"] == jobs["train_fgunet"] == 1


def unequal(config: dict[str, Any]) -> None:
    config["comparison"]["equal_labels"] = False


def forest_alone(config: dict[str, Any]) -> None:
    config["mapping"]["methods"] = ["forest"]


@pytest.mark.parametrize(("change", "told"), [(unequal, True), (forest_alone, False)])
def test_nothing_is_taken_out_of_what_is_learned_unless_both_must_be_equal(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any], change: Any, told: bool
) -> None:
    change(shipped_config)
    done = snakemake(tmp_path, "--dry-run", "--quiet", "rules", config=shipped_config)
    assert done.returncode == 0, done.stderr
    jobs = jobs_of(done)
    assert "learning_split" not in jobs
    assert ("labels" in jobs) == told


@pytest.mark.parametrize(("threads", "workers"), [(1, 1), (2, 2), (5, 4), (16, 8)])
def test_workers_share_a_batch_evenly(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any], threads: int, workers: int
) -> None:
    shipped_config["fgunet"]["batch_size"] = 8
    arguments = ["--dry-run", "--cores", "16", "--set-threads", f"train_fgunet={threads}"]
    done = snakemake(tmp_path, *arguments, config=shipped_config)
    assert f"training FG-UNET on {workers} workers" in done.stdout + done.stderr


def test_every_rule_says_what_it_needs(root: Path) -> None:
    for name, block in rule_blocks(root).items():
        for directive in ("message", "log", "benchmark", "params", "threads", "resources", "conda"):
            assert f"    {directive}:" in block, f"rule {name} has no {directive}"
        assert "library=VERSION" in block, f"rule {name} does not follow the library"


def test_every_script_has_its_rule(root: Path) -> None:
    scripts = {path.stem for path in (root / "scripts").glob("*.py")}
    blocks = rule_blocks(root)
    assert scripts == {name for name, block in blocks.items() if "script:" in block}


def test_snakefile_is_short(root: Path) -> None:
    assert len((root / "Snakefile").read_text(encoding="utf-8").splitlines()) <= 50


def test_a_second_run_in_the_same_folder_is_refused(snakemake: Any, tmp_path: Path) -> None:
    (tmp_path / ".snakemake").mkdir()
    with (tmp_path / ".snakemake" / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = snakemake(tmp_path, "--cores", "1", "simulated/world")
    assert done.returncode != 0
    assert f"another run is at work in {tmp_path}" in done.stderr
    assert not (tmp_path / "simulated").exists()


def test_no_results_are_deleted_beside_a_run(snakemake: Any, tmp_path: Path) -> None:
    world = tmp_path / "simulated" / "world"
    assert snakemake(tmp_path, "--cores", "1", "simulated/world").returncode == 0
    delete = ["--cores", "1", "--delete-all-output", "simulated/world"]
    with (tmp_path / ".snakemake" / "run.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = snakemake(tmp_path, *delete)
        assert snakemake(tmp_path, "--dry-run", *delete).returncode == 0
    assert f"another run is at work in {tmp_path}" in done.stderr
    assert done.returncode != 0
    assert world.exists()
    assert snakemake(tmp_path, *delete).returncode == 0
    assert not world.exists()


@pytest.mark.parametrize("name", ["results", "simulated", "logs"])
def test_what_is_no_folder_stops_a_run_before_any_work(
    snakemake: Any, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).symlink_to("nowhere")
    done = snakemake(tmp_path, "--cores", "1", "simulated/world")
    assert done.returncode != 0
    assert f"{name} is no folder, but jobs write there: take it away" in done.stderr
    assert "Traceback" not in done.stderr
