"""A run that is asked to stop, and one that was killed while its jobs went on."""

import re
import shutil
import signal
from collections.abc import Callable

import pytest

from tests.faults.chain import Chain, Running
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

# Rule, and what it makes.
SERIES = ("stack_series", ("results/series/T31TGK.zarr",))
NETWORK = (
    "train_fgunet",
    tuple(f"results/models/fgunet/{n}" for n in ("model.keras", "history.csv", "metadata.json")),
)


@pytest.mark.parametrize(
    ("number", "stopped"),
    [(signal.SIGTERM, SERIES), (signal.SIGINT, SERIES), (signal.SIGTERM, NETWORK)],
    ids=["SIGTERM, series", "SIGINT, series", "SIGTERM, network"],
)
def test_a_run_that_is_asked_to_stop_goes_on_later(
    number: signal.Signals, stopped: tuple[str, tuple[str, ...]], copied: Chain,
    expected: dict[str, str], tried: Callable,
) -> None:  # fmt: skip
    rule, outputs = stopped
    copied.remove(*outputs)
    started = copied.start(*outputs)
    job = Running(started).wait_for(rule)
    job.suspend()  # so that it does not end before
    started.send_signal(number)
    job.resume()
    assert copied.ended(started).status != 0
    again = copied.run(*outputs)
    assert again.status == 0, again.said
    assert "left at work" not in again.said, "Snakemake waits for its jobs"
    tried(f"{number.name} to Snakemake", rule)
    assert not difference(results_of(copied.folder), expected)


def test_what_a_killed_run_leaves_is_cleared_by_the_next(
    whole: Chain, copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    curve = "results/accuracy/learning_curve.csv"
    copied.remove(curve)
    # Snakemake was killed after the last use of a temporary output and before it removed it.
    samples = "results/comparison/0.5/samples/T31TGK.parquet"
    (copied.folder / samples).parent.mkdir()
    shutil.copy2(whole.folder / samples, copied.folder / samples)
    killed = copied.start(curve)
    job = Running(killed).wait_for("learning_curve")
    job.suspend()  # so that it cannot end by itself
    killed.kill()
    killed.wait()
    (copied.folder / "results/.half.0123456789ab.part.zarr").mkdir()
    scripts = copied.folder / ".snakemake" / "scripts"
    assert list(scripts.iterdir())
    again = copied.run(curve)
    assert again.status == 0, again.said
    assert re.search(rf"ended what a killed run had left at work .*\({job.pid}\)", again.said)
    assert "removed 1 temporary files" in again.said
    assert not job.is_running()
    assert not list(scripts.iterdir())
    tried("kill -9 of Snakemake, its jobs go on", "learning_curve")
    assert not difference(results_of(copied.folder), expected)
