"""A run beside another one that was split in the other way."""

import re
from pathlib import Path
from typing import Any

TARGET = "results/accuracy/split_gap.csv"


def test_a_folder_without_a_finished_run_is_refused_before_any_work(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    shipped_config["accuracy"]["block_run"] = "../elsewhere"
    done = snakemake(tmp_path, "--dry-run", TARGET, config=shipped_config)
    assert done.returncode != 0
    assert "AccuracyError: accuracy.block_run: no finished run lies in ../elsewhere" in done.stderr


def test_a_finished_run_is_taken(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    other = tmp_path / "blocks"
    for name in ("accuracy/summary.csv", "accuracy/classes.csv", "reference/audit.json"):
        path = other / "results" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    shipped_config["accuracy"]["block_run"] = "blocks"
    done = snakemake(tmp_path, "--dry-run", TARGET, config=shipped_config)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^split_gap +1$", done.stdout, flags=re.MULTILINE)
