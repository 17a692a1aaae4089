"""A results folder that is read-only, or becomes so."""

from collections.abc import Callable

import pytest

from tests.faults.chain import Chain, Running
from tests.faults.disks import closed_to_writing
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

# All that train_forest makes: what is there, Snakemake itself says is write-protected.
FOREST = tuple(f"results/models/forest/{name}" for name in ("forest.skops", "metadata.json"))


def test_a_read_only_results_folder_is_told_and_changes_no_result(
    copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    copied.remove(*FOREST)
    with closed_to_writing(copied.folder / "results"):
        refused = copied.run(*FOREST)
    assert refused.status != 0
    assert "cannot be written: Read-only file system" in refused.said
    assert "Traceback" not in refused.said
    assert "Execute" not in refused.said, "it is refused before any work"
    copied.finish(*FOREST)
    tried("read-only results folder", "before the start")
    assert not difference(results_of(copied.folder), expected)


def test_a_results_folder_that_becomes_read_only_is_told_and_changes_no_result(
    copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    copied.remove(*FOREST)
    started = copied.start(*FOREST)
    job = Running(started).wait_for("train_forest")
    job.suspend()  # so that it does not end before
    with closed_to_writing(copied.folder / "results"):
        job.resume()
        refused = copied.ended(started)
    assert refused.status != 0
    assert "cannot be written: Read-only file system" in refused.said
    log = (copied.folder / "logs/train_forest.log").read_text(encoding="utf-8")
    assert "Traceback" not in log
    copied.finish(*FOREST)
    tried("results folder turned read-only", "train_forest")
    assert not difference(results_of(copied.folder), expected)
