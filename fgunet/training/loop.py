"""The loop: epochs of steps, a validation after each, the best model kept."""

import logging
import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from fgunet.calibration import Calibration
from fgunet.errors import TrainingError, TrainingStoppedError, WorkerLostError
from fgunet.logs import Progress as ProgressLog
from fgunet.network import build_fgunet
from fgunet.training.calibration import CalibrationPatches, calibrate
from fgunet.training.checkpoints import (
    Checkpoint,
    Progress,
    assign,
    read_checkpoint,
    values_of,
    write_checkpoint,
)
from fgunet.training.history import history_row, write_events, write_history
from fgunet.training.plan import TrainingPlan
from fgunet.training.prefetch import prefetched
from fgunet.training.schedule import Schedule
from fgunet.training.step import Step
from fgunet.training.validation import Scores, scores_of
from fgunet.training.workers import Workers

_log = logging.getLogger(__name__)


class Patches(CalibrationPatches, Protocol):
    """Patches by number; `fgunet.patches.drawing.PatchSource` is one."""

    def describe(self, index: int) -> str:
        """Where a patch lies, in words."""


@dataclass(frozen=True)
class Trained:
    """The chosen model, in float32, its calibration, and how the training went."""

    model: keras.Model
    calibration: Calibration
    progress: Progress


@dataclass(frozen=True)
class Places:
    """Where a training leaves what it writes on its way; worker 0 alone writes.

    Attributes
    ----------
    checkpoint : path
        The checkpoint (".npz").
    history : path
        The history (".csv"), written after each epoch.
    events : path
        Folder of TensorBoard's event files, where the plan asks for them.
    """

    checkpoint: Path
    history: Path
    events: Path

    @classmethod
    def within(cls, folder: Path) -> "Places":
        """The usual places in the folder of a model."""
        return cls(
            folder / "checkpoint" / "state.npz", folder / "history.csv", folder / "tensorboard"
        )


def train(
    plan: TrainingPlan,
    training: Patches,
    validation: Patches,
    *,
    workers: Workers,
    places: Places,
    obey: Callable[[], None] = lambda: None,
    readers: int = 1,
) -> Trained:
    """Train FG-UNET; go on from a checkpoint where there is one of the same plan.

    One and several workers give the same weights but for rounding, with dropout too: gradients of
    patches are the same, their sum is added up in another order. The same number of workers, of
    the same number of threads each, repeats the weights bit for bit on a CPU, however often the
    training was killed and started again.

    Parameters
    ----------
    plan : TrainingPlan
        What to do.
    training, validation : Patches
        Patches that are learnt from, and patches that choose the model; number n is the same for
        all workers.
    workers : Workers
        Those that train together.
    places : Places
        Where to write.
    obey : callable
        Called often; raises TrainingStoppedError where the training is to stop.
    readers : int
        Threads that read patches ahead.

    Returns
    -------
    Trained
        The model of the epoch with the highest score on the validation patches, and its
        temperature, fitted on the same patches (`fgunet.training.calibration.calibrate`).

    Raises
    ------
    TrainingError
        If the batch cannot be shared out evenly, the loss is no longer finite (the last good
        checkpoint stays, the sample is named), the checkpoint belongs to another plan or cannot
        be written.
    TrainingStoppedError, WorkerLostError
        If the training was asked to stop, or another worker was lost; a checkpoint is written.
    """
    if plan.batch_size % workers.size:
        raise TrainingError(
            f"batch_size ({plan.batch_size}) cannot be shared evenly by {workers.size} workers; "
            "change fgunet.batch_size, or the number of workers"
        )
    loop = _Loop(plan, workers, places, readers)
    loop.restore()
    try:
        for epoch in range(loop.progress.epochs, plan.epochs):
            loop.learn(epoch, training, obey)
            loop.end_epoch(epoch, loop.judge(validation, obey))
            loop.save()
        model = loop.chosen()
        calibration = calibrate(model, plan, validation, workers, obey=obey, ahead=loop.ahead)
    except (TrainingStoppedError, WorkerLostError) as error:
        loop.save()
        raise type(error)(
            f"{error}; {loop.progress.steps} of {plan.epochs * plan.steps_per_epoch} steps are "
            f"done and saved in {places.checkpoint}: start again to go on"
        ) from error
    return Trained(model, calibration, loop.progress)


class _Loop:
    """State of a training, and its parts."""

    def __init__(self, plan: TrainingPlan, workers: Workers, places: Places, readers: int) -> None:
        keras.utils.set_random_seed(plan.seed % 2**32)
        self.plan, self.workers, self.places = plan, workers, places
        self.ahead = {"depth": max(2, readers), "threads": readers}
        self.model = _network(plan, plan.precision)
        self.optimizer = keras.optimizers.Adam(plan.learning_rate)
        self.optimizer.build(self.model.trainable_variables)
        self.step = Step(
            self.model,
            self.optimizer,
            plan.class_weights,
            workers,
            portion=plan.portion,
            seed=plan.seed,
        )
        self.progress = Progress()
        self.schedule = Schedule(plan.learning_rate)
        self.best = values_of(self.model.weights)
        self._told_cpu_s = time.process_time()
        self._counted_s = time.monotonic()
        self._learning_s = 0.0

    def restore(self) -> None:
        """Take up a checkpoint that worker 0 finds; make all workers equal."""
        found = None
        if self.workers.leads:
            found = read_checkpoint(self.places.checkpoint, self.plan)
        state = self.workers.share(found or self._state())
        assign(self.model.weights, state.model)
        assign(self.optimizer.variables, state.optimizer)
        self.best, self.progress = state.best, state.progress
        if found is not None:
            _log.info(
                "going on after step %d of %d", self.progress.steps, self._steps(self.plan.epochs)
            )
        if self.progress.schedule:
            self.schedule = Schedule(**self.progress.schedule)
        if self.workers.leads and self.progress.history:
            write_history(self.places.history, self.progress.history)
        self._counted_s = time.monotonic()  # start-up is no learning

    def save(self) -> None:
        """Write the present state, by worker 0."""
        if not self.workers.leads:
            return
        self._count_time()
        write_checkpoint(self.places.checkpoint, self._state(), self.plan)

    def _state(self) -> Checkpoint:
        return Checkpoint(
            self.progress,
            values_of(self.model.weights),
            values_of(self.optimizer.variables),
            self.best,
        )

    def chosen(self) -> keras.Model:
        """The model of the best epoch, for any use."""
        model = _network(self.plan, "float32")
        assign(model.weights, self.best)
        return model

    def learn(self, epoch: int, patches: Patches, obey: Callable[[], None]) -> None:
        """What is left of an epoch's steps."""
        plan, progress = self.plan, self.progress
        left = range(progress.steps, self._steps(epoch + 1))
        log = self._progress_log(left)
        made = prefetched(patches.batch, map(self._share, left), **self.ahead)
        with closing(made) as batches:
            for number, (images, labels) in zip(left, batches, strict=True):
                self.optimizer.learning_rate.assign(self.schedule.rate_at(plan, number))
                sample = self._share(number).start
                learned = self.step.learn(
                    images, labels, first_sample=sample, cpu_s=self._cpu_since_told(), between=obey
                )
                if not learned.applied:  # all workers know, so all look for the patch and stop
                    unbounded = self.step.find_unbounded(images, labels, first_sample=sample)
                    self._refuse(number, learned.losses, unbounded, patches)
                progress.steps = number + 1
                progress.loss_sum += float(learned.losses.sum(dtype=np.float64))
                progress.weight_sum += float(learned.weights.sum(dtype=np.float64))
                progress.cpu_s += learned.cpu_s
                if log is not None:
                    log.advance(plan.batch_size)
                if progress.steps % plan.checkpoint_every == 0:
                    self.save()

    def judge(self, patches: Patches, obey: Callable[[], None]) -> Scores:
        """Scores over the validation patches, shared by all workers; the same for any number.

        Portions are shared out whole, and each patch keeps a place of its own in what is added
        up, so every sum is that of one worker.
        """
        self._count_time()
        self._learning_s = self.progress.epoch_wall_s
        count, n_classes = self.plan.validation_patches, len(self.plan.codes)
        portions = self.workers.portions(count, self.plan.portion)
        losses, confusion = np.zeros((2, count)), np.zeros((n_classes, n_classes))
        made = prefetched(patches.batch, portions, **self.ahead)
        with closing(made) as judged:
            for portion, (images, labels) in zip(portions, judged, strict=True):
                obey()
                *loss, each = self.step.judge(images, labels)
                losses[:, portion.start : portion.stop] = loss
                confusion += each
        told = np.concatenate([losses.ravel(), confusion.ravel(), [self._cpu_since_told()]])
        told = self.workers.sum(tf.constant(told), "validation").numpy()
        self.progress.cpu_s += float(told[-1])
        losses, weights = told[: 2 * count].reshape(2, count)
        return scores_of(losses, weights, told[2 * count : -1].reshape(n_classes, n_classes))

    def end_epoch(self, epoch: int, scores: Scores) -> None:
        """Choose the model, take note of the epoch, set the next rate."""
        plan, progress = self.plan, self.progress
        self._count_time()
        best = self._is_best(score := getattr(scores, plan.select_by))
        if best:
            self.best = values_of(self.model.weights)
            progress.best_epoch = epoch + 1
            progress.best_score = score if math.isfinite(score) else None
        row = history_row(
            epoch=epoch + 1,
            loss=progress.loss_sum / progress.weight_sum if progress.weight_sum else math.nan,
            scores=scores,
            codes=plan.codes,
            learning_rate=self.schedule.rate_at(plan, progress.steps - 1),
            patches=progress.steps * plan.batch_size,
            patches_per_s=plan.patches_per_epoch / max(self._learning_s, 1e-9),
            wall_s=progress.epoch_wall_s,
        )
        progress.history.append(row)
        progress.loss_sum = progress.weight_sum = progress.epoch_wall_s = 0.0
        self.schedule.end_epoch(plan, epoch, scores.loss)
        progress.schedule = self.schedule.to_dict()
        if self.workers.leads:
            self._tell(row, best=best)

    def _tell(self, row: dict[str, Any], *, best: bool) -> None:
        write_history(self.places.history, self.progress.history)
        if self.plan.tensorboard:
            write_events(self.places.events, row)
        known = {name: math.nan if value is None else value for name, value in row.items()}
        _log.info(
            "epoch %d/%d: loss %.4f, validation loss %.4f, kappa %.4f, rate %.2g, "
            "%.2f patches/s, %.0f s%s",
            known["epoch"],
            self.plan.epochs,
            known["loss"],
            known["validation_loss"],
            known["validation_kappa"],
            known["learning_rate"],
            known["patches_per_s"],
            known["wall_s"],
            " (best so far)" if best else "",
        )

    def _is_best(self, score: float) -> bool:
        best = self.progress.best_score
        return not self.progress.best_epoch or score > (-math.inf if best is None else best)

    def _refuse(
        self,
        number: int,
        losses: NDArray[np.float32],
        unbounded: NDArray[np.intp],
        patches: Patches,
    ) -> NoReturn:
        """Say which patches of a step spoil it."""
        first = int(unbounded[0]) if unbounded.size else None
        what = "the gradients of its patches are finite, but not their sum"
        if first is not None:
            which = patches.describe(number * self.plan.batch_size + first)
            what = (
                f"that of {unbounded.size} of {losses.size} patches is not finite, first that of "
                f"{which} (loss {losses[first]:g})"
            )
        raise TrainingError(
            f"step {number + 1} (epoch {number // self.plan.steps_per_epoch + 1}) has no finite "
            f"gradient: {what}. The step was not taken and the last checkpoint is kept. Look at "
            "that ground; or lower fgunet.learning_rate, lengthen fgunet.warmup_epochs, and begin "
            "anew"
        )

    def _progress_log(self, left: range) -> ProgressLog | None:
        if not self.workers.leads or not left:
            return None
        done, whole = left.start * self.plan.batch_size, self._steps(self.plan.epochs)
        return ProgressLog("patches", whole * self.plan.batch_size, done=done)

    def _steps(self, epochs: int) -> int:
        return epochs * self.plan.steps_per_epoch

    def _share(self, number: int) -> range:
        """Numbers of this worker's patches in a step."""
        share = self.plan.batch_size // self.workers.size
        first = number * self.plan.batch_size + self.workers.rank * share
        return range(first, first + share)

    def _cpu_since_told(self) -> float:
        """Processor seconds of this process since this was asked last."""
        before, self._told_cpu_s = self._told_cpu_s, time.process_time()
        return self._told_cpu_s - before

    def _count_time(self) -> None:
        before, self._counted_s = self._counted_s, time.monotonic()
        self.progress.wall_s += self._counted_s - before
        self.progress.epoch_wall_s += self._counted_s - before


def _network(plan: TrainingPlan, precision: str) -> keras.Model:
    return build_fgunet(
        n_groups=plan.n_groups,
        dates_per_group=plan.dates_per_group,
        n_bands=len(plan.bands),
        n_classes=len(plan.codes),
        width=plan.width,
        dropout=plan.dropout,
        precision=precision,
    )
