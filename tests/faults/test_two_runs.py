"""Two Snakemakes that are started on one folder."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.faults.chain import Chain
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults


def test_one_of_two_runs_is_refused(
    copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    target = "results/models/forest/forest.skops"
    copied.remove(target)
    other = replace(copied, name="other")
    both = copied.start(target), other.start(target)
    ends = copied.ended(both[0]), other.ended(both[1])
    assert sorted(end.status for end in ends) == [0, 1]
    assert sum("another run is at work" in end.said for end in ends) == 1
    tried("two Snakemakes in one folder", "train_forest")
    assert not difference(results_of(copied.folder), expected)
