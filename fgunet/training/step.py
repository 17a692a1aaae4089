"""The compiled parts of a training: gradients, their application, and validation."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from fgunet.network import weighted_cross_entropy
from fgunet.network.loss import UNLABELLED
from fgunet.training.workers import Workers

MICRO_BATCH = 2
"""Patches that run through the network at once: it bounds a worker's memory."""


class Step:
    """One step of the optimizer over the patches of all workers.

    The gradient of the *sum* of the loss is added up over micro-batches and workers and divided
    by the labelled weight of the whole step: how patches fall to workers changes only
    the order of a sum.

    Parameters
    ----------
    model : keras.Model
        Gives logits.
    optimizer : keras.optimizers.Optimizer
        Built for the model's trainable variables.
    class_weights : array_like (class,) float
        Weight of each class in the loss.
    workers : Workers
        Those that train together.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        class_weights: ArrayLike,
        workers: Workers,
    ) -> None:
        self._model, self._optimizer, self._workers = model, optimizer, workers
        self._class_weights = tf.constant(np.asarray(class_weights, dtype=np.float32))
        self._shapes = [tuple(v.shape) for v in model.trainable_variables]
        patches = (  # of any count: one trace serves the last, smaller micro-batch too
            tf.TensorSpec((None, None, None, model.input_shape[-1]), tf.float32),
            tf.TensorSpec((None, None, None), tf.uint8),
        )
        self._gradient = tf.function(self._sums, input_signature=patches)
        self._update = tf.function(self._apply)
        self._logits = tf.function(self._evaluated, input_signature=patches)

    def train(self, images: NDArray[np.float32], labels: NDArray[np.uint8]) -> tuple[float, float]:
        """Learn from this worker's patches; give the loss and weight sums of all workers.

        Parameters
        ----------
        images : ndarray (patch, y, x, channel) float32
            Normalised patches.
        labels : ndarray (patch, y, x) uint8
            255 = unlabelled.

        Returns
        -------
        loss_sum, weight_sum : float
        """
        sums = None
        for first in range(0, len(images), MICRO_BATCH):
            part = slice(first, first + MICRO_BATCH)
            each = self._gradient(tf.constant(images[part]), tf.constant(labels[part]))
            sums = each if sums is None else sums + each
        loss, weight = self._update(sums).numpy()
        return float(loss), float(weight)

    def evaluate(
        self, images: NDArray[np.float32], labels: NDArray[np.uint8]
    ) -> tuple[float, float, NDArray[np.float64]]:
        """Loss sum, weight sum and confusion (reference, predicted) of this worker's patches."""
        loss, weight, confusion = self._logits(tf.constant(images), tf.constant(labels))
        return float(loss), float(weight), confusion.numpy()

    def _sums(self, images: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        """Gradient of the loss sum, flattened, then the loss sum and the weight sum."""
        variables = [variable.value for variable in self._model.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            logits = self._model(images, training=True)
            loss, weight = weighted_cross_entropy(labels, logits, self._class_weights)
        gradients = tape.gradient(loss, variables)
        parts = [tf.reshape(gradient, [-1]) for gradient in gradients]
        return tf.concat([*parts, tf.stack([loss, weight])], axis=0)

    def _apply(self, sums: tf.Tensor) -> tf.Tensor:
        sums = self._workers.sum(sums, "gradients")  # one flat tensor: one exchange a step
        gradient = sums[:-2] / tf.maximum(sums[-1], np.float32(1e-12))
        sizes = [int(np.prod(shape)) for shape in self._shapes]
        parts = tf.split(gradient, sizes)
        gradients = [tf.reshape(p, s) for p, s in zip(parts, self._shapes, strict=True)]
        self._optimizer.apply(gradients, self._model.trainable_variables)
        return sums[-2:]

    def _evaluated(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, ...]:
        logits = self._model(images, training=False)
        loss, weight = weighted_cross_entropy(labels, logits, self._class_weights)
        count = int(self._class_weights.shape[0])
        labelled = labels != UNLABELLED
        reference = tf.cast(tf.boolean_mask(labels, labelled), tf.int32)
        predicted = tf.boolean_mask(tf.argmax(logits, axis=-1, output_type=tf.int32), labelled)
        confusion = tf.math.bincount(
            reference * count + predicted, minlength=count**2, maxlength=count**2
        )
        return loss, weight, tf.cast(tf.reshape(confusion, (count, count)), tf.float64)


def seed_dropout(model: keras.Model, seed: int, epoch: int, rank: int) -> None:
    """Set the random state of the model's dropout for an epoch of a worker.

    The state depends on the arguments alone, so a training that was stopped between two epochs
    goes on with the same masks.
    """
    for number, layer in enumerate(model.layers):
        generator: Any = getattr(layer, "seed_generator", None)
        if generator is not None:
            key = np.random.SeedSequence((seed, epoch, rank, number)).generate_state(1)[0] >> 1
            generator.state.assign([key, 0])
