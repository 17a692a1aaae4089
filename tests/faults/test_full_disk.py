"""A disk that is full whenever a rule writes for the first time."""

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import psutil
import pytest

from tests.faults.chain import POLL_S, Chain, jobs_of
from tests.faults.disks import Filler, small_disk
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

SEED = 9
MEGABYTES = 200
STARTS = 30


@dataclass
class Shortage:
    """Leaves a job of each rule no more than a few pages of room; `told` is what they logged."""

    chain: Chain
    pages: np.random.Generator
    told: dict[str, str] = field(default_factory=dict)

    def watch(self, started: "subprocess.Popen[bytes]") -> None:
        """Fill the disk while a job of a rule runs that did not have this yet."""
        filler = Filler(self.chain.folder)
        while started.poll() is None:
            aim = next((job for rule, job in jobs_of(started) if rule not in self.told), None)
            if aim:
                filler.fill(pages_left=int(self.pages.integers(3)))
                self._listen(started, aim)
                filler.remove()
            time.sleep(POLL_S)

    def _listen(self, started: "subprocess.Popen[bytes]", aim: psutil.Process) -> None:
        """Note what jobs have logged when they ended, until the one that is aimed at has."""
        running = {job: rule for rule, job in jobs_of(started)}
        while aim in running:
            now = {job: rule for rule, job in jobs_of(started)}
            for job, rule in running.items():
                if job not in now:
                    self.told[rule] = self.chain.log_of(rule)
            running = now
            time.sleep(POLL_S)


def test_a_full_disk_is_told_and_changes_no_result(
    undisturbed: Chain, expected: dict[str, str], new_chain: Callable[..., Chain],
    tried: Callable, tmp_path,
) -> None:  # fmt: skip
    folder = tmp_path / "run"
    folder.mkdir()
    with small_disk(folder, MEGABYTES):
        # Logs are on another disk, to be read; and so is what Snakemake writes of jobs, for it ends
        # where it cannot.
        for name in ("logs", ".snakemake"):
            (tmp_path / name).mkdir()
            (folder / name).symlink_to(tmp_path / name)
        chain = new_chain(folder)
        shortage = Shortage(chain, np.random.default_rng(SEED))
        for _ in range(STARTS):
            started = chain.start("--keep-going", "--retries", "20")
            shortage.watch(started)
            if started.wait() == 0:
                break
        chain.finish()
        failed = {rule for rule, log in shortage.told.items() if "cannot be written" in log}
        found = results_of(folder)
    for rule in sorted(failed):
        tried("full disk", rule)
    assert shortage.told.keys() == undisturbed.usual_times().keys()
    unclear = {rule: log for rule, log in shortage.told.items() if "Traceback" in log}
    assert not unclear
    assert not difference(found, expected)
