"""The rules as Snakemake sees them."""

import fcntl
import re
from pathlib import Path
from typing import Any

import pytest

RULES = re.compile(r"^rule (\w+):", flags=re.MULTILINE)


def rule_blocks(root: Path) -> dict[str, str]:
    text = "\n".join(p.read_text(encoding="utf-8") for p in sorted((root / "rules").glob("*.smk")))
    names = RULES.findall(text)
    return dict(zip(names, RULES.split(text)[2::2], strict=True))


def test_dry_run_of_the_shipped_configuration(
    snakemake: Any, tmp_path: Path, shipped_config: dict[str, Any]
) -> None:
    done = snakemake(tmp_path, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stderr
    counts = dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.MULTILINE))
    n_tiles = str(len(shipped_config["tiles"]))
    assert counts["stack_series"] == counts["classify_fgunet"] == n_tiles
    assert counts["train_fgunet"] == counts["train_forest"] == counts["report"] == "1"


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
