"""The profiles agree, and put the small rules into groups."""

import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from .runs import PROFILES, ROOT

# Rules that have a job of the scheduler to themselves, or none.
ALONE = {
    "all", "audit_reference", "check_inputs", "learnable_polygons", "training_plan",
    "curve_training_plan", "train_fgunet", "train_forest", "curve_train_fgunet",
    "curve_train_forest", "classify_exact", "mosaic", "mosaic_regularised", "learning_curve",
    "learning_time", "regularisation", "regularised_scores", "split_gap", "window_effect",
    "styles", "data_figures", "tables", "provenance", "report", "table_pages", "stac",
    "scores", "accuracy_figures", "context_tables", "context_figures", "fuse_reference",
    "split_reference", "training_distances", "labels_seen_fgunet", "labels_seen_forest", "labels",
    "urban_share", "comparison_figures",
}  # fmt: skip
SHARED = (
    "groups", "group-components", "set-threads", "cores", "resources",
    "jobs", "retries", "keep-going", "latency-wait",
)  # fmt: skip


def profile(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("key", SHARED)
def test_both_profiles_say_the_same(key: str) -> None:
    one, other = (profile(name)[key] for name in PROFILES)
    assert one == other


def test_both_profiles_have_the_same_defaults() -> None:
    slurm, cluster = (profile(name)["default-resources"] for name in PROFILES)
    assert slurm.items() <= cluster.items()


def test_every_rule_is_in_a_group_or_alone_on_purpose() -> None:
    paths = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    rules = re.findall(r"^ *(?:rule|checkpoint) (\w+):|^ *use rule \w+ as (\w+) with", text, re.M)
    groups = profile("slurm")["groups"]
    assert {first or second for first, second in rules} == groups.keys() | ALONE
    assert not groups.keys() & ALONE
    assert profile("slurm")["group-components"].keys() <= set(groups.values())


def test_eleven_tiles_are_few_jobs_of_the_scheduler(tmp_path: Path) -> None:
    """Planned with Snakemake's own check that no group waits for itself."""
    snakemake = Path(sys.executable).with_name("snakemake")
    done = subprocess.run(
        [snakemake, "--profile", "profiles/cluster", "--directory", tmp_path, "--dry-run"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    groups = Counter(re.findall(r"Group job (\w+) ", told))
    alone = re.findall(r"^Job \d+: ", told, re.M)
    n_rules = int(re.search(r"^total +(\d+)$", told, re.M)[1])
    assert groups["maps"] == groups["series"] == 11
    assert n_rules > 250
    assert groups.total() + len(alone) <= 65
