"""The loss: weighted cross-entropy over labelled pixels."""

from typing import Any

import keras
from keras import ops

UNLABELLED = 255
"""Label of a pixel that takes no part in the loss."""


def weighted_cross_entropy(labels: Any, logits: Any, class_weights: Any) -> tuple[Any, Any]:
    """Weighted cross-entropy of the labelled pixels of each image, and the sum of their weights.

    The mean over the labelled weight of a whole step is the quotient of the two, summed over
    images and workers first; a mean for each worker would depend on how patches fall to them.

    Parameters
    ----------
    labels : tensor (image, y, x) integer
        0..n-1, 255 = unlabelled.
    logits : tensor (image, y, x, class) float
        Output of the network.
    class_weights : tensor (class,) float
        Weight of a pixel of each class.

    Returns
    -------
    loss_sums, weight_sums : tensors (image,) float32
        Both 0 where no pixel of an image is labelled.
    """
    labels = ops.cast(labels, "int32")
    labelled = ops.not_equal(labels, UNLABELLED)
    # An unlabelled pixel needs some label that exists; its weight is 0.
    safe = ops.where(labelled, labels, ops.zeros_like(labels))
    weights = ops.take(ops.convert_to_tensor(class_weights, dtype="float32"), safe)
    weights = ops.where(labelled, weights, ops.zeros_like(weights))
    losses = keras.ops.sparse_categorical_crossentropy(
        safe, ops.cast(logits, "float32"), from_logits=True
    )
    return ops.sum(losses * weights, axis=(1, 2)), ops.sum(weights, axis=(1, 2))
