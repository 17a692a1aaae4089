"""The temperature of a trained network, fitted on the validation patches."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Protocol

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import softmax

from fgunet.calibration import Calibration, fit_temperature
from fgunet.network.loss import UNLABELLED
from fgunet.patches.drawing import CALIBRATION_STREAM
from fgunet.patches.random import sample_generator
from fgunet.training.plan import TrainingPlan
from fgunet.training.prefetch import prefetched
from fgunet.training.workers import Workers

MOST_PIXELS = 100_000
"""Pixels that a temperature is fitted on at most, as many of each patch; it bounds the memory."""


class CalibrationPatches(Protocol):
    """Patches of the validation split, by number."""

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Labelled pixels of each class on the ground (class,)."""

    def batch(self, indices: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Images (patch, y, x, channel) and labels (patch, y, x), 255 = unlabelled."""


def calibrate(
    model: keras.Model,
    plan: TrainingPlan,
    patches: CalibrationPatches,
    workers: Workers,
    *,
    obey: Callable[[], None],
    ahead: Mapping[str, int],
) -> Calibration:
    """Fit the temperature of a network on the patches that it was chosen by.

    Of each patch at most so many labelled pixels are drawn that all have `MOST_PIXELS`. Patches
    are drawn class by class; pixels are weighed so that each class counts as much as it has
    labelled pixels in the validation split. A class of which no pixel was drawn counts nothing.

    All workers must call it and get the same, but for rounding whatever their number.

    Parameters
    ----------
    model : keras.Model
        The chosen network, which gives logits.
    plan : TrainingPlan
        Its plan.
    patches : CalibrationPatches
        Patches of the validation split.
    workers : Workers
        Those that trained together.
    obey : callable
        Called between portions; may raise to stop.
    ahead : dict
        How portions are read ahead, as `fgunet.training.prefetch.prefetched` takes it.

    Returns
    -------
    Calibration
        Without temperature where the model was chosen on training labels.
    """
    if plan.select_on != "validation":
        return Calibration(remark=f"the model was chosen on the {plan.select_on} split")
    logits, labels = _drawn_logits(model, plan, patches, workers, obey=obey, ahead=ahead)
    kept = np.bincount(labels, minlength=len(plan.codes))
    worth = patches.labelled / np.maximum(kept, 1)
    probabilities = softmax(logits.astype(np.float64), axis=1)
    return fit_temperature(probabilities, labels, weights=worth[labels])


def _drawn_logits(
    model: keras.Model,
    plan: TrainingPlan,
    patches: CalibrationPatches,
    workers: Workers,
    *,
    obey: Callable[[], None],
    ahead: Mapping[str, int],
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Logits (pixel, class) and labels (pixel,) of the drawn pixels of all workers' patches."""
    count, n_classes = plan.validation_patches, len(plan.codes)
    most = max(1, MOST_PIXELS // count)
    # Each pixel has a place of its own, so a sum over workers only gathers. The last column is
    # the label from 1; 0 where no pixel was drawn.
    found = np.zeros((count, min(most, plan.patch_size**2), n_classes + 1), np.float32)
    portions = workers.portions(count, plan.portion)
    predict = tf.function(
        lambda images: model(images, training=False),
        input_signature=[tf.TensorSpec((None, None, None, model.input_shape[-1]), tf.float32)],
        autograph=False,  # it leaves files where the process is killed
    )
    with closing(prefetched(patches.batch, portions, **ahead)) as made:
        for portion, (images, labels) in zip(portions, made, strict=True):
            obey()
            logits = predict(tf.constant(images)).numpy()
            for number, values, known in zip(portion, logits, labels, strict=True):
                pixels = _drawn(known, found.shape[1], plan.seed, number)
                found[number, : len(pixels), :-1] = values.reshape(-1, n_classes)[pixels]
                found[number, : len(pixels), -1] = 1 + known.ravel()[pixels]
    told = workers.sum(tf.constant(found), "calibration").numpy().reshape(-1, n_classes + 1)
    told = told[told[:, -1] > 0]
    return told[:, :-1], told[:, -1].astype(np.intp) - 1


def _drawn(labels: NDArray[np.uint8], most: int, seed: int, number: int) -> NDArray[np.intp]:
    """Places of the labelled pixels of a patch that are drawn."""
    labelled = np.flatnonzero(labels != UNLABELLED)
    generator = sample_generator(seed, CALIBRATION_STREAM, number)
    return generator.permutation(labelled)[:most]
