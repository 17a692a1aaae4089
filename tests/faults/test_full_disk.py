"""A disk that is full while a rule writes."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.faults.chain import Chain
from tests.faults.disks import PAGE, Filler, small_disk
from tests.faults.made import Job, jobs_of, layers
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

SEED = 9
MEGABYTES = 200
TOLD = re.compile(r"\w+Error: .* cannot be written: .* MB are free in .*: make room there")

# What horovodrun then says of itself is a traceback.
LAUNCHER_ENDS = "Terminating remaining workers"


def test_a_full_disk_is_told_and_changes_no_result(
    whole: Chain, tried: Callable, tmp_path: Path
) -> None:
    expected = results_of(whole.folder)
    chosen = np.random.default_rng(SEED)
    folder = tmp_path / "run"
    folder.mkdir()
    with small_disk(folder, MEGABYTES):
        # Logs are on another disk, to be read; and so is what Snakemake writes of jobs, for it ends
        # where it cannot.
        for name in ("logs", ".snakemake"):
            (tmp_path / name).mkdir()
            (folder / name).symlink_to(tmp_path / name)
        chain = whole.copied(folder)
        # From the last to the first: so what a job needs is as it was.
        planned = layers(jobs_of(chain))
        for layer in planned:
            pages = {job: max(_pages(folder / path) for path in job.outputs) for job in layer}
            chain.remove(*(path for job in layer for path in job.outputs))
            for job in _failed(chain, layer, 0):
                tried("full disk", job.rule)
            large = [job for job in layer if pages[job] > 1]
            if large:  # again, in the middle of a file
                _failed(chain, large, int(chosen.integers(1, max(pages.values()))))
        chain.finish(*_command([job for layer in planned for job in layer]))
        found = results_of(folder)
    assert not difference(found, expected)


def _pages(path: Path) -> int:
    """Room that the largest file takes."""
    return max(-(-file.stat().st_size // PAGE) for file in (path, *path.rglob("*")))


def _command(jobs: list[Job]) -> list[str]:
    return ["--notemp", "--keep-going", *(path for job in jobs for path in job.outputs)]


def _failed(chain: Chain, layer: list[Job], pages_left: int) -> list[Job]:
    """Run jobs with so much room on the disk; those that did not end well, and said why."""
    filler = Filler(chain.folder)
    filler.fill(pages_left=pages_left)
    ended = chain.run(*_command(layer))
    filler.remove()
    failed = [
        job for job in layer if not all((chain.folder / path).exists() for path in job.outputs)
    ]
    assert pages_left or failed == layer, ended.said
    for job in failed:
        log = (chain.folder / job.log).read_text(encoding="utf-8")
        assert TOLD.search(log), (job.rule, log, ended.said)
        assert "Traceback" not in log.partition(LAUNCHER_ENDS)[0]
    return failed
