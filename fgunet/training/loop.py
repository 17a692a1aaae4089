"""The loop: epochs of steps, a validation after each, the best model kept."""

import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fgunet.errors import TrainingError
from fgunet.logs import Progress as ProgressLog
from fgunet.network import build_fgunet
from fgunet.training.checkpoints import (
    Checkpoint,
    Progress,
    Row,
    assign,
    read_checkpoint,
    values_of,
    write_checkpoint,
)
from fgunet.training.plan import TrainingPlan
from fgunet.training.prefetch import prefetched
from fgunet.training.schedule import Schedule
from fgunet.training.step import MICRO_BATCH, Step, seed_dropout
from fgunet.training.validation import Scores, scores_of
from fgunet.training.workers import Workers

_log = logging.getLogger(__name__)


class Patches(Protocol):
    """Patches by number; `fgunet.patches.drawing.PatchSource` is one."""

    def batch(self, indices: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Images (patch, y, x, channel) and labels (patch, y, x), 255 = unlabelled."""


@dataclass(frozen=True)
class Trained:
    """The chosen model, and how the training went."""

    model: keras.Model
    progress: Progress


def train(
    plan: TrainingPlan,
    training: Patches,
    validation: Patches,
    *,
    workers: Workers,
    checkpoint: str | os.PathLike[str],
) -> Trained:
    """Train FG-UNET; go on from a checkpoint where there is one of the same plan.

    Without dropout, one and several workers give the same weights but for rounding. With
    dropout, its masks depend on the worker: a result is repeated bit for bit by the
    same number of workers.

    Parameters
    ----------
    plan : TrainingPlan
        What to do.
    training, validation : Patches
        Patches of the two splits; number n is the same for all workers.
    workers : Workers
        Those that train together.
    checkpoint : path
        File of the checkpoint (".npz"), written by worker 0 after each epoch.

    Returns
    -------
    Trained
        The model of the epoch with the highest validation kappa.

    Raises
    ------
    TrainingError
        If the batch cannot be shared out evenly, or the loss is no longer finite.
    """
    if plan.batch_size % workers.size:
        raise TrainingError(
            f"batch_size ({plan.batch_size}) cannot be shared evenly by {workers.size} workers; "
            "change fgunet.batch_size, or the number of workers"
        )
    loop = _Loop(plan, workers)
    loop.restore(checkpoint)
    left = (plan.epochs - loop.progress.epochs) * plan.patches_per_epoch
    log = ProgressLog("patches", left) if workers.leads and left else None
    for epoch in range(loop.progress.epochs, plan.epochs):
        start = time.monotonic(), time.process_time()
        loss = loop.learn(epoch, training, log)
        loop.end_epoch(epoch, loss, loop.judge(validation), start)
        if workers.leads:
            write_checkpoint(checkpoint, loop.checkpoint(), plan.hash)
    assign(loop.model.weights, loop.best)
    return Trained(loop.model, loop.progress)


class _Loop:
    """State of a training, and its parts."""

    def __init__(self, plan: TrainingPlan, workers: Workers) -> None:
        keras.utils.set_random_seed(plan.seed % 2**32)
        self.plan, self.workers = plan, workers
        self.model = build_fgunet(
            n_groups=plan.n_groups,
            dates_per_group=plan.dates_per_group,
            n_bands=len(plan.bands),
            n_classes=len(plan.codes),
            width=plan.width,
            dropout=plan.dropout,
        )
        self.optimizer = keras.optimizers.Adam(plan.learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.step = Step(self.model, self.optimizer, plan.class_weights, workers)
        self.progress = Progress()
        self.schedule = Schedule(plan.learning_rate)
        self.best = values_of(self.model.weights)

    def restore(self, path: str | os.PathLike[str]) -> None:
        """Take up a checkpoint that worker 0 finds; make all workers equal."""
        found = read_checkpoint(path, self.plan.hash) if self.workers.leads else None
        if found is not None:
            assign(self.model.weights, found.model)
            assign(self.optimizer.variables, found.optimizer)
            self.best, self.progress = found.best, found.progress
            _log.info("going on after epoch %d of %d", found.progress.epochs, self.plan.epochs)
        self.workers.broadcast([*self.model.weights, *self.optimizer.variables])
        self.best, self.progress = self.workers.share((self.best, self.progress))
        if self.progress.schedule:
            self.schedule = Schedule(**self.progress.schedule)

    def checkpoint(self) -> Checkpoint:
        """The present state."""
        return Checkpoint(
            self.progress,
            values_of(self.model.weights),
            values_of(self.optimizer.variables),
            self.best,
        )

    def learn(self, epoch: int, patches: Patches, log: ProgressLog | None) -> float:
        """Steps of an epoch; the mean training loss."""
        plan = self.plan
        seed_dropout(self.model, plan.seed, epoch, self.workers.rank)
        loss_sum = weight_sum = 0.0
        batches = prefetched(patches.batch, self._shares(epoch))
        for number, (images, labels) in enumerate(batches):
            self.optimizer.learning_rate.assign(self.schedule.rate_at(plan, epoch, number))
            loss, weight = self.step.train(images, labels)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss is {loss} in step {number + 1} of epoch {epoch + 1}; "
                    "lower fgunet.learning_rate or lengthen fgunet.warmup_epochs"
                )
            loss_sum, weight_sum = loss_sum + loss, weight_sum + weight
            if log is not None:
                log.advance(plan.batch_size)
        return loss_sum / weight_sum if weight_sum else math.nan

    def _shares(self, epoch: int) -> Iterator[range]:
        """Numbers of this worker's patches in each step of an epoch."""
        size = self.plan.batch_size
        share = size // self.workers.size
        for number in range(self.plan.steps_per_epoch):
            first = (epoch * self.plan.steps_per_epoch + number) * size
            first += self.workers.rank * share
            yield range(first, first + share)

    def judge(self, patches: Patches) -> Scores:
        """Scores over the validation patches of all workers."""
        mine = range(self.workers.rank, self.plan.validation_patches, self.workers.size)
        parts = [mine[first : first + MICRO_BATCH] for first in range(0, len(mine), MICRO_BATCH)]
        count = len(self.plan.codes)
        sums = np.zeros(2 + count**2)
        for images, labels in prefetched(patches.batch, parts):
            loss, weight, confusion = self.step.evaluate(images, labels)
            sums += np.concatenate([[loss, weight], confusion.ravel()])
        sums = self.workers.sum(tf.constant(sums), "validation").numpy()
        return scores_of(float(sums[0]), float(sums[1]), sums[2:].reshape(count, count))

    def end_epoch(
        self, epoch: int, loss: float, scores: Scores, start: tuple[float, float]
    ) -> None:
        """Choose the model, take note of the epoch, set the next rate."""
        plan, progress = self.plan, self.progress
        wall = time.monotonic() - start[0]
        cpu = tf.constant(time.process_time() - start[1], tf.float64)
        progress.wall_s += wall
        progress.cpu_s += float(self.workers.sum(cpu, "cpu"))
        progress.epochs = epoch + 1
        rate = float(self.optimizer.learning_rate)
        if self._is_best(scores.kappa):
            self.best = values_of(self.model.weights)
            progress.best_epoch, progress.best_kappa = epoch + 1, _known(scores.kappa)
        self.schedule.end_epoch(plan, epoch, scores.loss)
        progress.schedule = self.schedule.to_dict()
        progress.history.append(_row(plan, epoch, loss=loss, scores=scores, rate=rate, wall=wall))
        if self.workers.leads:
            _log.info(
                "epoch %d/%d: loss %.4f, validation loss %.4f, kappa %.4f, rate %.2g, %.0f s%s",
                epoch + 1,
                plan.epochs,
                loss,
                scores.loss,
                scores.kappa,
                rate,
                wall,
                " (best so far)" if progress.best_epoch == epoch + 1 else "",
            )

    def _is_best(self, kappa: float) -> bool:
        best = self.progress.best_kappa
        return not self.progress.best_epoch or kappa > (-math.inf if best is None else best)


def _row(
    plan: TrainingPlan, epoch: int, *, loss: float, scores: Scores, rate: float, wall: float
) -> Row:
    return {
        "epoch": epoch + 1,
        "loss": _known(loss),
        "validation_loss": _known(scores.loss),
        "validation_kappa": _known(scores.kappa),
        "validation_overall_accuracy": _known(scores.overall_accuracy),
        "learning_rate": rate,
        "patches": (epoch + 1) * plan.patches_per_epoch,
        "wall_s": round(wall, 3),
        "patches_per_s": round(plan.patches_per_epoch / wall, 3),
    }


def _known(value: Any) -> float | None:
    """The value, or None where it is not a number: JSON has no nan."""
    return float(value) if math.isfinite(value) else None
