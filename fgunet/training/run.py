"""A whole training, from a plan file to its deliverables."""

import logging
import math
import os
import re
import shutil
from contextlib import nullcontext
from pathlib import Path

from fgunet.calibration import tell
from fgunet.files import alone_in
from fgunet.training.deliverables import write_deliverables
from fgunet.training.devices import use_gpu
from fgunet.training.loop import Places, train
from fgunet.training.plan import TrainingPlan, read_plan
from fgunet.training.sources import open_patches
from fgunet.training.stopping import stop_request
from fgunet.training.workers import Workers, start_workers

_log = logging.getLogger(__name__)


def run(
    path_to_plan: str | os.PathLike[str], folder: str | os.PathLike[str], *, threads: int = 1
) -> None:
    """Train as a plan says; worker 0 writes model.keras, history.csv and metadata.json.

    A checkpoint lies in ``checkpoint/`` of the folder while the training lasts.

    Parameters
    ----------
    path_to_plan : path
        Plan, as `fgunet.training.plan.write_plan` writes it.
    folder : path
        Where to write.
    threads : int
        Threads that this worker computes with (`fgunet.training.devices.use_threads`), for the
        record; as many read patches.

    Raises
    ------
    TrainingError
        If the plan cannot be carried out; see `fgunet.training.loop.train`.
    PatchError
        If no patch can be drawn.
    """
    plan = read_plan(path_to_plan)
    workers = start_workers(folder)
    use_gpu(workers.local_rank)
    training, validation = open_patches(plan)
    with alone_in(folder) if workers.leads else nullcontext():
        if workers.leads:
            _announce(plan, workers, threads)
        places = Places.within(Path(folder))
        # Before and after there is nothing to save: a signal ends the process as it always does,
        # also while it waits for its folder or counts the labels of a country.
        with stop_request() as request:
            trained = train(
                plan,
                training,
                validation,
                workers=workers,
                places=places,
                obey=request.obey,
                readers=threads,
            )
        _log.info("peak memory %.2f GB", peak_gb())
        if workers.leads:
            tell(trained.calibration)
            write_deliverables(folder, trained, plan, workers=workers, threads=threads)
            shutil.rmtree(places.checkpoint.parent, ignore_errors=True)


def peak_gb() -> float:
    """The most memory that this process has used so far, in GB."""
    # getrusage would also count what the process that started it had.
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) * 1024 / 1e9 if found else math.nan


def _announce(plan: TrainingPlan, workers: Workers, threads: int) -> None:
    _log.info(
        "training on %d tiles with %d workers of %d threads on %d nodes%s, "
        "%d epochs of %d patches, %s",
        len(plan.tiles),
        workers.size,
        threads,
        workers.nodes,
        f", started by {workers.launcher} ({workers.connection})" if workers.launcher else "",
        plan.epochs,
        plan.patches_per_epoch,
        plan.precision,
    )
    if plan.select_on == "training":
        _log.warning(
            "the model is chosen on the labels that it learns from, as in the study: its score "
            "is no validation"
        )
