"""kill -9 of everything, at random moments."""

import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import numpy as np
import psutil
import pytest
import yaml

from fgunet.leftovers import end_processes
from tests.faults.chain import POLL_S, Chain, Running, workers_of
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

SEED = 9
TRAININGS = ("train_fgunet", "curve_train_fgunet")
SNAKEMAKE = "kill -9 of Snakemake"
JOB = "kill -9 of a rule's process"
WORKER = "kill -9 of a worker"
ASKED = "SIGTERM to a worker"
# So many starts end any run that is killed as planned.
STARTS = 40


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

    def run(self, chain: Chain, *arguments: str) -> int:
        """Run the workflow and kill what is due; how its Snakemake ended."""
        running = Running(chain.start(*arguments))
        moments: dict[psutil.Process, float] = {}
        while running.started.poll() is None:
            for rule, job in running.jobs():
                kill = next((kill for kill in self.pending if kill.rule == rule), None)
                if kill is None:
                    continue
                moment = moments.setdefault(job, time.monotonic() + kill.part * self.usual[rule])
                if time.monotonic() >= moment and _struck(kill, job, running):
                    self.pending.remove(kill)
                    self.done.append(kill)
            time.sleep(POLL_S)
        return running.started.wait()

    def run_until_it_ends_well(self, chain: Chain, *arguments: str) -> None:
        """Start the same command again and again."""
        starts = 1
        while self.run(chain, *arguments) != 0:
            starts += 1
            assert starts < STARTS, self.pending


def _struck(kill: Kill, job: psutil.Process, running: Running) -> bool:
    """Kill the victim; whether it was there to be killed."""
    with suppress(psutil.NoSuchProcess):
        if job.status() == psutil.STATUS_ZOMBIE:
            return False
        if kill.victim == SNAKEMAKE:
            running.started.kill()
            return True
        victims = workers_of(job) if kill.victim in (WORKER, ASKED) else [job]
        if victims:
            victim = victims[int(kill.part * 100) % len(victims)]
            victim.send_signal(signal.SIGTERM if kill.victim == ASKED else signal.SIGKILL)
            return True
    return False


def planned_kills(rules: list[str]) -> list[Kill]:
    """One a rule, of Snakemake in every sixth; the trainings see all kinds."""
    chosen = np.random.default_rng(SEED)
    in_turn = [
        (rule, SNAKEMAKE if place % 6 == 0 else JOB)
        for place, rule in enumerate(chosen.permutation(rules).tolist())
    ]
    of_trainings = [
        (rule, victim) for rule in TRAININGS for victim in (WORKER, ASKED, SNAKEMAKE, JOB)
    ]
    planned = [*of_trainings, *(pair for pair in in_turn if pair[0] not in TRAININGS)]
    return [Kill(rule, victim, chosen.uniform(0.05, 0.8)) for rule, victim in planned]


def test_kills_at_any_moment_change_no_result(
    undisturbed: Chain, expected: dict[str, str], new_chain: Callable[..., Chain], tried: Callable
) -> None:
    usual = undisturbed.usual_times()
    killer, chain = Killer(planned_kills(sorted(usual)), usual), new_chain()
    # Other jobs go on, and the killed one is tried again: so a start sees many kills.
    command = ["--keep-going", "--retries", "3"]
    killer.run_until_it_ends_well(chain, *command)
    # Jobs that were over before their moment came are made again, and killed sooner.
    for _ in range(5):
        killer.pending = [replace(kill, part=kill.part / 2) for kill in killer.pending]
        missed = [kill.rule for kill in killer.pending]
        if missed:
            killer.run(chain, *command, "--forcerun", *missed, "--until", *missed)
    chain.finish()
    for kill in killer.done:
        tried(kill.victim, kill.rule)
    assert not killer.pending
    _nothing_else_is_left(chain, expected)


# Rules that a change of the forest makes anew; each kill ends Snakemake.
RERUN = [
    Kill("train_forest", JOB, 0.3),
    Kill("classify_forest", SNAKEMAKE, 0.4),
    Kill("majority", JOB, 0.2),
    Kill("scores", SNAKEMAKE, 0.3),
]


def test_kills_of_a_run_with_another_setting_change_no_result(
    undisturbed: Chain, copied: Chain, tried: Callable, tmp_path
) -> None:
    config = yaml.safe_load((copied.folder / "config.yaml").read_text(encoding="utf-8"))
    config["forest"]["trees"] += 2
    config["comparison"]["learning_curve"] = []
    (copied.folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    calm = copied.copied(tmp_path / "calm")
    calm.finish()
    killer = Killer([*RERUN], undisturbed.usual_times())
    killer.run_until_it_ends_well(copied)
    for kill in killer.done:
        tried(f"{kill.victim}, rerun", kill.rule)
    assert not killer.pending
    _nothing_else_is_left(copied, results_of(calm.folder))


def _nothing_else_is_left(chain: Chain, expected: dict[str, str]) -> None:
    assert not end_processes(chain.folder)
    assert not difference(results_of(chain.folder), expected)
    assert not list((chain.folder / ".snakemake" / "scripts").glob("*"))
    # Snakemake's own folders there are empty.
    assert not [path for path in chain.temporary.rglob("*") if "snakemake" not in path.name]
