"""The compiled parts of a training: gradients, their exchange and application, and validation."""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from fgunet.network import noise_layers, set_noise, weighted_cross_entropy
from fgunet.network.loss import UNLABELLED
from fgunet.training.workers import Workers

# Autograph has nothing to translate here; its files would be left by a process that is killed.
_GRAPH = functools.partial(tf.function, autograph=False)
# Compiled, the noise of dropout costs a tenth; the convolutions are faster left to oneDNN.
_COMPILED = functools.partial(_GRAPH, jit_compile=True)


@dataclass(frozen=True)
class Learned:
    """What a step found.

    Attributes
    ----------
    losses, weights : ndarray (patch,) float32
        Weighted cross-entropy of each patch of all workers, and its labelled weight.
    cpu_s : float
        Processor seconds that all workers reported with it.
    applied : bool
        False where the loss or its gradient is not finite; then the weights stay as they were.
    """

    losses: NDArray[np.float32]
    weights: NDArray[np.float32]
    cpu_s: float
    applied: bool


class Step:
    """One step of the optimizer over the patches of all workers.

    The gradient of the *sum* of the loss is added up over portions and workers and divided
    by the labelled weight of the whole step: how patches fall to portions and workers changes
    only the order of a sum.

    Parameters
    ----------
    model : keras.Model
        From `fgunet.network.build_fgunet`.
    optimizer : keras.optimizers.Optimizer
        Built for the model's trainable variables.
    class_weights : array_like (class,) float
        Weight of each class in the loss.
    workers : Workers
        Those that train together.
    portion : int
        Patches that run through the network at once.
    seed : int
        Seed of the dropout.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.optimizers.Optimizer,
        class_weights: ArrayLike,
        workers: Workers,
        *,
        portion: int,
        seed: int,
    ) -> None:
        self._model, self._optimizer, self._workers = model, optimizer, workers
        self._portion, self._seed = portion, seed
        self._class_weights = tf.constant(np.asarray(class_weights, dtype=np.float32))
        for layer in noise_layers(model):
            layer.compile_with(_COMPILED)
        patches = (  # of any count: one trace serves the last, smaller portion too
            tf.TensorSpec((None, None, None, model.input_shape[-1]), tf.float32),
            tf.TensorSpec((None, None, None), tf.uint8),
        )
        number = tf.TensorSpec((), tf.int64)
        self._gradient = _GRAPH(self._gradients, input_signature=(*patches, number))
        self._exchange = _GRAPH(self._summed)
        self._update = _GRAPH(self._apply)
        self._judgement = _GRAPH(self._judged, input_signature=patches)

    def learn(
        self,
        images: NDArray[np.float32],
        labels: NDArray[np.uint8],
        *,
        first_sample: int,
        cpu_s: float = 0.0,
        between: Callable[[], None] = lambda: None,
    ) -> Learned:
        """Learn from this worker's patches, and those that the others learn from meanwhile.

        Parameters
        ----------
        images : ndarray (patch, y, x, channel) float32
            Normalised patches, as many for each worker.
        labels : ndarray (patch, y, x) uint8
            255 = unlabelled.
        first_sample : int
            Number of the first of them; the others follow.
        cpu_s : float
            Processor seconds of this worker since the last step.
        between : callable
            Called between portions; what it raises leaves the weights as they were.

        Returns
        -------
        Learned

        Raises
        ------
        WorkerLostError
            If another worker is lost; the weights stay as they were.
        """
        share = len(images)
        gradient, found = None, np.zeros((2, share * self._workers.size), np.float32)
        mine = self._workers.rank * share
        for first in range(0, share, self._portion):
            between()
            part = slice(first, min(first + self._portion, share))
            each, losses = self._gradient(
                tf.constant(images[part]),
                tf.constant(labels[part]),
                tf.constant(first_sample + first, tf.int64),
            )
            gradient = each if gradient is None else gradient + each
            found[:, mine + part.start : mine + part.stop] = losses.numpy()
        return self._learnt(gradient, found, cpu_s)

    def _learnt(self, gradient: tf.Tensor, found: NDArray[np.float32], cpu_s: float) -> Learned:
        told = np.append(found, np.float32(cpu_s))
        with self._workers.exchanging():
            gradient, told = self._exchange(gradient, tf.constant(told))
        *found, cpu = told.numpy()
        losses, weights = np.reshape(found, (2, -1))
        finite = bool(tf.reduce_all(tf.math.is_finite(gradient))) and bool(
            np.isfinite(losses).all()
        )
        if finite:
            self._update(gradient, tf.constant(max(weights.sum(), np.float32(1e-12))))
        return Learned(losses, weights, float(cpu), finite)

    def find_unbounded(
        self, images: NDArray[np.float32], labels: NDArray[np.uint8], *, first_sample: int
    ) -> NDArray[np.intp]:
        """Which patches of all workers have a gradient that is not finite, taken by themselves.

        Parameters are those of `learn`, and every worker must call it.

        Returns
        -------
        ndarray (n,) int
            Their places among the patches of the step.
        """
        share = len(images)
        found = np.zeros(share * self._workers.size, np.float32)
        for number in range(share):
            part = slice(number, number + 1)
            sample = tf.constant(first_sample + number, tf.int64)
            gradient, _ = self._gradient(images[part], labels[part], sample)
            place = self._workers.rank * share + number
            found[place] = not bool(tf.reduce_all(tf.math.is_finite(gradient)))
        return np.flatnonzero(self._workers.sum(tf.constant(found), "unbounded").numpy())

    def judge(
        self, images: NDArray[np.float32], labels: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
        """Judge patches as they are mapped, without dropout.

        Returns
        -------
        losses, weights : ndarray (patch,) float32
            Weighted cross-entropy and labelled weight of each patch.
        confusion : ndarray (reference, predicted) float64
            Labelled pixels.
        """
        losses, confusion = self._judgement(tf.constant(images), tf.constant(labels))
        loss, weight = losses.numpy()
        return loss, weight, confusion.numpy()

    def _gradients(
        self, images: tf.Tensor, labels: tf.Tensor, first_sample: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Gradient of the loss sum, flattened; losses and weights (2, patch)."""
        set_noise(self._model, self._seed, first_sample)
        variables = [variable.value for variable in self._model.trainable_variables]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            logits = self._model(images, training=True)
            losses, weights = weighted_cross_entropy(labels, logits, self._class_weights)
            loss = tf.reduce_sum(losses)
        gradients = tape.gradient(loss, variables)
        flat = tf.concat([tf.reshape(gradient, [-1]) for gradient in gradients], axis=0)
        return flat, tf.stack([losses, weights])

    def _summed(self, gradient: tf.Tensor, told: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Both summed over all workers, in one exchange."""
        count = tf.size(gradient)
        both = self._workers.sum(tf.concat([gradient, told], axis=0), "step")
        return both[:count], both[count:]

    def _apply(self, gradient: tf.Tensor, weight: tf.Tensor) -> None:
        variables = self._model.trainable_variables
        shapes = [tuple(variable.shape) for variable in variables]
        parts = tf.split(gradient / weight, [int(np.prod(shape)) for shape in shapes])
        gradients = [tf.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True)]
        self._optimizer.apply(gradients, variables)

    def _judged(self, images: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        logits = self._model(images, training=False)
        losses = tf.stack(weighted_cross_entropy(labels, logits, self._class_weights))
        count = int(self._class_weights.shape[0])
        labelled = labels != UNLABELLED
        reference = tf.cast(tf.boolean_mask(labels, labelled), tf.int32)
        predicted = tf.boolean_mask(tf.argmax(logits, axis=-1, output_type=tf.int32), labelled)
        # On a GPU TensorFlow has no bincount that repeats itself, and refuses.
        with tf.device("/CPU:0"):
            confusion = tf.math.bincount(
                reference * count + predicted, minlength=count**2, maxlength=count**2
            )
        return losses, tf.cast(tf.reshape(confusion, (count, count)), tf.float64)
