"""kill -9 of everything, at random moments, and signals that ask a run to stop."""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import psutil
import pytest

from tests.faults.chain import POLL_S, Chain, jobs_of, workers_of
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

SEED = 9
TRAININGS = ("train_fgunet", "curve_train_fgunet")
SNAKEMAKE, JOB, WORKER = (
    "kill -9 of Snakemake",
    "kill -9 of a rule's process",
    "kill -9 of a worker",
)
STARTS = 60


@dataclass(frozen=True)
class Kill:
    """Who is to be killed while a job of a rule runs, and after what part of its usual time."""

    rule: str
    victim: str
    part: float


@dataclass
class Killer:
    """Strikes while a Snakemake runs; `pending` are the kills to come, `done` those that hit."""

    pending: list[Kill]
    usual: dict[str, float]
    done: list[Kill] = field(default_factory=list)

    def watch(self, started: "subprocess.Popen[bytes]") -> None:
        """Kill what is due, until Snakemake ends."""
        due: dict[psutil.Process, tuple[Kill, float]] = {}
        while started.poll() is None:
            now = time.monotonic()
            for rule, job in jobs_of(started):
                kill = next((kill for kill in self.pending if kill.rule == rule), None)
                if kill and job not in due:
                    due[job] = kill, now + kill.part * self.usual[rule]
            for job, (kill, moment) in due.items():
                if now >= moment and kill in self.pending and _struck(kill, job, started):
                    self.pending.remove(kill)
                    self.done.append(kill)
            time.sleep(POLL_S)


def _struck(kill: Kill, job: psutil.Process, started: "subprocess.Popen[bytes]") -> bool:
    """Kill the victim; whether it was there to be killed."""
    with suppress(psutil.NoSuchProcess):
        if job.status() == psutil.STATUS_ZOMBIE:
            return False
        if kill.victim == SNAKEMAKE:
            started.kill()
            return True
        victims = workers_of(job) if kill.victim == WORKER else [job]
        if victims:
            victims[int(kill.part * 100) % len(victims)].kill()
            return True
    return False


def planned_kills(rules: list[str]) -> list[Kill]:
    """One a rule, of Snakemake in every fourth; the trainings see all kinds."""
    chosen = np.random.default_rng(SEED)
    in_turn = [
        (rule, SNAKEMAKE if place % 4 == 0 else JOB)
        for place, rule in enumerate(chosen.permutation(rules).tolist())
    ]
    of_trainings = [(rule, victim) for rule in TRAININGS for victim in (WORKER, SNAKEMAKE, JOB)]
    planned = [*of_trainings, *(pair for pair in in_turn if pair[0] not in TRAININGS)]
    return [Kill(rule, victim, chosen.uniform(0.05, 0.7)) for rule, victim in planned]


def test_kills_at_any_moment_change_no_result(
    undisturbed: Chain, expected: dict[str, str], new_chain: Callable[..., Chain], tried: Callable
) -> None:
    usual = undisturbed.usual_times()
    killer, chain = Killer(planned_kills(sorted(usual)), usual), new_chain()
    again: list[str] = []
    for _ in range(STARTS):
        # Other jobs go on, and the killed one is tried again: so a start sees many kills.
        started = chain.start("--keep-going", "--retries", "2", *again)
        killer.watch(started)
        if not killer.pending:
            break
        # Jobs that were over before their time came are made again.
        again = [] if started.wait() else ["--forcerun", *(kill.rule for kill in killer.pending)]
    started.wait()
    chain.finish()
    for kill in killer.done:
        tried(kill.victim, kill.rule)
    assert {kill.rule for kill in killer.done} == usual.keys()
    assert not difference(results_of(chain.folder), expected)
    # Snakemake's own folders there are empty.
    assert not [path for path in chain.temporary.rglob("*") if "snakemake" not in path.name]


MODEL = tuple(f"results/models/fgunet/{n}" for n in ("model.keras", "history.csv", "metadata.json"))
# Rule, what it makes, and when it is stopped, as a part of its usual time.
STOPPED = [
    ("stack_series", ("results/series/T30TWT.zarr",), 0.5),
    ("train_fgunet", MODEL, 0.7),
]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("stopped", STOPPED, ids=lambda stopped: stopped[0])
def test_a_run_that_is_asked_to_stop_goes_on_later(
    number: signal.Signals, stopped: tuple[str, tuple[str, ...], float], copied: Chain,
    expected: dict[str, str], tried: Callable,
) -> None:  # fmt: skip
    rule, outputs, part = stopped
    usual = copied.usual_times()[rule]
    copied.remove(*outputs)
    started = copied.start(*outputs)
    _wait_for(rule, started)
    time.sleep(part * usual)
    started.send_signal(number)
    assert copied.ended(started).status != 0
    copied.finish(*outputs)
    tried(f"{number.name} to Snakemake", rule)
    assert not difference(results_of(copied.folder), expected)


def _wait_for(rule: str, started: "subprocess.Popen[bytes]") -> None:
    while rule not in dict(jobs_of(started)):
        assert started.poll() is None, f"Snakemake ended before {rule} ran"
        time.sleep(POLL_S)
