"""Two Snakemakes that are started on one folder."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.chain import Chain, Running
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

TARGET = "results/models/forest/forest.skops"


def test_one_of_two_runs_is_refused(
    copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    copied.remove(TARGET)
    other = replace(copied, name="other")
    both = copied.start(TARGET), other.start(TARGET)
    ends = copied.ended(both[0]), other.ended(both[1])
    assert sorted(end.status for end in ends) == [0, 1]
    for end in ends:
        assert ("another run is at work" in end.said) == (end.status == 1)
        assert "Traceback" not in end.said
    tried("two Snakemakes in one folder", "train_forest")
    assert not difference(results_of(copied.folder), expected)


def test_a_dry_run_beside_a_run_disturbs_nothing(
    copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    copied.remove(TARGET)
    started = copied.start(TARGET)
    job = Running(started).wait_for("train_forest")
    job.suspend()
    replace(copied, name="dry").finish(TARGET, "--dry-run")
    assert job.is_running()
    job.resume()
    ended = copied.ended(started)
    assert ended.status == 0, ended.said
    tried("dry run beside a run", "train_forest")
    assert not difference(results_of(copied.folder), expected)
