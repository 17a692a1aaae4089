"""A whole training, from a plan file to its deliverables."""

import logging
import os
import resource
import shutil
from contextlib import nullcontext
from pathlib import Path

import tensorflow as tf

from fgunet.files import alone_in
from fgunet.training.deliverables import write_deliverables
from fgunet.training.loop import Patches, train
from fgunet.training.plan import TrainingPlan, read_plan
from fgunet.training.sources import open_patches
from fgunet.training.workers import Workers, start_workers

_log = logging.getLogger(__name__)


def use_threads(threads: int) -> None:
    """Let TensorFlow use so many threads, and repeat itself bit for bit.

    Raises
    ------
    RuntimeError
        If TensorFlow has begun to compute (its own message).
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()


def run(path_to_plan: str | os.PathLike[str], folder: str | os.PathLike[str]) -> None:
    """Train as a plan says; worker 0 writes model.keras, history.csv and metadata.json.

    A checkpoint lies in ``checkpoint/`` of the folder while the training lasts.

    Parameters
    ----------
    path_to_plan : path
        Plan, as `fgunet.training.plan.write_plan` writes it.
    folder : path
        Where to write.

    Raises
    ------
    TrainingError
        If the plan cannot be carried out.
    PatchError
        If no patch can be drawn.
    """
    workers = start_workers()
    plan = read_plan(path_to_plan)
    training, validation = open_patches(plan)
    with alone_in(folder) if workers.leads else nullcontext():
        _train(plan, training, validation, workers, Path(folder))


def _train(
    plan: TrainingPlan, training: Patches, validation: Patches, workers: Workers, folder: Path
) -> None:
    if workers.leads:
        _log.info(
            "training on %d tiles with %d workers, %d epochs of %d patches",
            len(plan.tiles),
            workers.size,
            plan.epochs,
            plan.patches_per_epoch,
        )
    checkpoints = folder / "checkpoint"
    trained = train(
        plan, training, validation, workers=workers, checkpoint=checkpoints / "state.npz"
    )
    _log.info("peak memory %.2f GB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
    if workers.leads:
        write_deliverables(folder, trained, plan, workers.size)
        shutil.rmtree(checkpoints, ignore_errors=True)
