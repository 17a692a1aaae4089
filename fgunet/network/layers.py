"""Layers that fold groups of dates into the batch and back, and a quicker pixel-wise one."""

from typing import Any

import keras
from keras import ops


class _Folding(keras.layers.Layer):  # type: ignore[misc]
    """What both folding layers share: the number of groups, saved with the model."""

    def __init__(self, n_groups: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.n_groups = n_groups

    def get_config(self) -> dict[str, Any]:
        """What the layer is built from."""
        return {**super().get_config(), "n_groups": self.n_groups}


@keras.saving.register_keras_serializable(package="fgunet")
class GroupsToBatch(_Folding):
    """Fold the groups of an image into the batch.

    (image, y, x, group x channel) becomes (image x group, y, x, channel), so that one
    sub-network runs over all groups at once.

    Parameters
    ----------
    n_groups : int
        Number of groups; it must divide the number of channels.
    """

    def call(self, images: Any) -> Any:
        """Fold `images`."""
        _, height, width, channels = ops.shape(images)
        channels = channels // self.n_groups
        split = ops.reshape(images, (-1, height, width, self.n_groups, channels))
        by_group = ops.transpose(split, (0, 3, 1, 2, 4))
        return ops.reshape(by_group, (-1, height, width, channels))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Shape of the folded images."""
        batch, height, width, channels = input_shape
        folded = None if batch is None else batch * self.n_groups
        return folded, height, width, channels // self.n_groups


@keras.saving.register_keras_serializable(package="fgunet")
class PixelwiseConvolution(keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution of 1 x 1 pixels, in training computed as a product of matrices.

    In float32 the gradients of a product take two thirds of the time of those of a convolution. In
    bfloat16, and where no gradient is asked for, the convolution is quicker.

    Parameters
    ----------
    filters : int
        Maps that it gives.
    """

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(filters, **{**kwargs, "kernel_size": 1})

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Maps (image, y, x, map) of `inputs` (image, y, x, map)."""
        if not training or self.compute_dtype != "float32":
            return super().call(inputs)
        return self.activation(ops.matmul(inputs, self.kernel[0, 0]) + self.bias)


@keras.saving.register_keras_serializable(package="fgunet")
class BatchToGroups(_Folding):
    """Take the groups out of the batch: the maps of all groups of an image side by side.

    (image x group, y, x, map) becomes (image, y, x, group x map).

    Parameters
    ----------
    n_groups : int
        Number of groups; it must divide the size of the batch.
    """

    def call(self, maps: Any) -> Any:
        """Unfold `maps`."""
        _, height, width, count = ops.shape(maps)
        by_group = ops.reshape(maps, (-1, self.n_groups, height, width, count))
        beside = ops.transpose(by_group, (0, 2, 3, 1, 4))
        return ops.reshape(beside, (-1, height, width, self.n_groups * count))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """Shape of the unfolded maps."""
        batch, height, width, count = input_shape
        images = None if batch is None else batch // self.n_groups
        return images, height, width, count * self.n_groups
