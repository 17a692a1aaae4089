"""The chain through a real Slurm: the same results, few jobs, and nothing lost to killed ones."""

import re
import time
from pathlib import Path

import pytest

from .runs import PROFILES, Cluster, Runs, copy_run, end, files_below, start, through

pytestmark = pytest.mark.cluster
# First what needs the run of this machine alone: those through the profiles take longer.

# What tells how long a run took, and is never the same twice: its part of those files.
CELLS = r"<td.*?</td>|<p>\d+ jobs of .*|<p class=.note.>\d+ jobs? w.* over before a second look.*\n"
NUMBERS = r"(?<=,)[\d.e-]+"
TIMES = {
    "results/models/fgunet/metadata.json": r'"(wall_s|cpu_s)": [\d.]+',
    "results/models/forest/metadata.json": r'"(wall_s|cpu_s)": [\d.]+',
    "results/models/fgunet/history.csv": r"(?m)(,[\d.]+){2}$",
    "results/accuracy/learning_time.csv": NUMBERS,
    "results/tables/learning_time.html": CELLS,
    "results/tables/rules.csv": NUMBERS,
    "results/tables/rules.html": CELLS,
    "results/tables/study_methods.csv": NUMBERS,
    "results/tables/study_methods.html": CELLS,
    "results/report.html": CELLS,
    # Sizes of the files above.
    "results/stac/collection.json": r'"file:size": \d+',
    "results/stac/model_fgunet/model_fgunet.json": r'"file:size": \d+',
    "results/stac/model_forest/model_forest.json": r'"file:size": \d+',
}
# What a group of three jobs makes of a tile; what one makes.
LEARNING = [
    "results/samples/T30TWT.parquet",
    "results/samples/T30TWT_validation.parquet",
    "results/statistics/T30TWT.npz",
]
CLEAR_COUNT = ["results/maps/clear_count/T30TWT.tif"]


@pytest.fixture(params=PROFILES)
def profile(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def disturbed(runs: Runs, tmp_path: Path) -> Path:
    """A copy of the run of this machine, to lose files of."""
    return copy_run(runs.finished("here"), tmp_path / "run")


def make_again(folder: Path, profile: str, targets: list[str], *options: str) -> list[str]:
    """Remove files; the options of a run that makes them again."""
    for target in targets:
        (folder / target).unlink()
    return [*through(profile), *options, "--", *targets]


def assert_unhurt(folder: Path, undisturbed: Path, targets: list[str]) -> None:
    for target in targets:
        assert (folder / target).read_bytes() == (undisturbed / target).read_bytes()
    assert [name for name in files_below(folder) if ".part" in name] == []


def test_a_job_over_its_memory_is_tried_again_with_more(
    cluster: Cluster, runs: Runs, disturbed: Path, profile: str
) -> None:
    scarce = ["--set-resources", "clear_count:mem_mb=80 if attempt == 1 else 4000"]
    options = make_again(disturbed, profile, CLEAR_COUNT, *scarce)
    said = end(start(disturbed, options, cluster.environment), disturbed)
    assert said.count("Trying to restart job") == 1
    assert len(cluster.jobs(disturbed)) == 2
    assert_unhurt(disturbed, runs.finished("here"), CLEAR_COUNT)


def test_a_job_that_is_cancelled_is_tried_again(
    cluster: Cluster, runs: Runs, disturbed: Path, profile: str
) -> None:
    """Here a group of three rules, which is made again as a whole."""
    options = make_again(disturbed, profile, LEARNING)
    run = start(disturbed, options, cluster.environment)
    cluster.ask("scancel", cluster.wait_for_a_running_job(disturbed))
    assert end(run, disturbed).count("Trying to restart job") == 1
    assert_unhurt(disturbed, runs.finished("here"), LEARNING)


def test_a_killed_run_goes_on(cluster: Cluster, runs: Runs, disturbed: Path, profile: str) -> None:
    """Its jobs stay in the queue; the same command again cancels them first."""
    options = make_again(disturbed, profile, LEARNING)
    run = start(disturbed, options, cluster.environment)
    left = cluster.wait_for_a_running_job(disturbed)
    run.kill()
    run.wait()
    said = end(start(disturbed, options, cluster.environment), disturbed)
    assert "Trying to restart job" not in said
    assert left in cluster.jobs(disturbed, "CANCELLED")
    assert_unhurt(disturbed, runs.finished("here"), LEARNING)


def test_a_slurm_that_does_not_answer_is_waited_for(
    cluster: Cluster, runs: Runs, disturbed: Path, profile: str
) -> None:
    """Before the first job is submitted, and while it runs."""
    options = make_again(disturbed, profile, LEARNING)
    with cluster.away():
        run = start(disturbed, options, cluster.environment)
        while "Slurm does not answer" not in (disturbed / "run.log").read_text():
            assert run.poll() is None
            time.sleep(0.1)
    cluster.wait_for_a_running_job(disturbed)
    with cluster.away():
        time.sleep(15)
    assert "Trying to restart job" not in end(run, disturbed)
    assert_unhurt(disturbed, runs.finished("here"), LEARNING)


def test_a_job_over_its_time_is_tried_again(cluster: Cluster, runs: Runs, tmp_path: Path) -> None:
    """It hangs until Slurm ends it; through both profiles at once, for a minute is the least."""
    short = ["--set-resources", "clear_count:runtime=attempt"]
    started = {}
    for profile in PROFILES:
        folder = copy_run(runs.finished("here"), tmp_path / profile)
        options = make_again(folder, profile, CLEAR_COUNT, *short)
        started[folder] = start(folder, options, cluster.environment)
    for job in cluster.jobs_as_they_run(*started):
        cluster.ask("scancel", "--signal=STOP", "--full", job)
    for folder, run in started.items():
        assert end(run, folder).count("Trying to restart job") == 1
        assert len(cluster.jobs(folder, "TIMEOUT")) == 1
        assert_unhurt(folder, runs.finished("here"), CLEAR_COUNT)


def outputs(folder: Path) -> dict[str, bytes]:
    """All results but the benchmarks, without what tells of time."""
    found = {}
    for name, path in files_below(folder).items():
        if name.startswith(("results/", "simulated/")) and "/benchmarks/" not in name:
            found[name] = path.read_bytes()
            if name in TIMES:
                found[name] = re.sub(TIMES[name].encode(), b"", found[name])
    return found


@pytest.mark.parametrize("profile", PROFILES)
def test_results_are_those_of_one_machine(runs: Runs, profile: str) -> None:
    here, there = outputs(runs.finished("here")), outputs(runs.finished(profile))
    assert here.keys() == there.keys() >= TIMES.keys()
    assert [name for name in here if here[name] != there[name]] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_small_rules_share_jobs(cluster: Cluster, runs: Runs, profile: str) -> None:
    run = runs.finished(profile)
    names = cluster.jobs(run).values()
    assert all(name.startswith("fgunet") for name in names)
    assert 10 < len(names) <= 40
    finished = re.findall(r"Finished jobid: (\d+) ", (run / "run.log").read_text())
    assert len(finished) == len(set(finished)) > 1.5 * len(names)
