"""Dropout whose noise is computed from a number, not drawn one after another."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

Compiler = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Makes a function of tensors into a faster one of the same values."""


@keras.saving.register_keras_serializable(package="fgunet")
class CounterDropout(keras.layers.Layer):  # type: ignore[misc]
    """Drop values in training; which ones depends on a key, the image and the place in it alone.

    Each value is kept where an integer hash of (key, number of the image, place of the value) is
    not below the rate, so the noise of an image is the same whatever images run beside it, on
    whatever worker, before or after whatever others. It is also several times quicker
    than drawing random numbers, if the hash is compiled (`compile_with`).

    The hash is the two-multiplication mixer "lowbias32" (C. Wellons, Prospecting for Hash
    Functions, 2018, https://nullprogram.com/blog/2018/07/31/), once for each of two keys of an
    image.

    Parameters
    ----------
    rate : float
        Share of the values to drop, in [0, 1). The others are divided by 1 - rate.

    Attributes
    ----------
    seed_generator : keras.random.SeedGenerator
        Its state (2,) is the key and the number of the first image, as `set_noise` sets it. Being
        a state of random numbers it is none of the model's weights.
    """

    def __init__(self, rate: float, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(0)
        self._kept: Callable[..., Any] = _kept

    def call(self, values: Any, training: bool = False) -> Any:
        """Drop some of `values` (image, y, x, map), or none where it is not `training`."""
        if not training or not self.rate:
            return values
        state = ops.cast(self.seed_generator.state.value, "uint32")
        return self._kept(values, state, self.rate)

    def set_noise(self, key: int, first_image: Any) -> None:
        """Choose the noise of the next call.

        Parameters
        ----------
        key : int
            Of this layer and run, 0 to 2**32 - 1.
        first_image : int or scalar integer tensor
            Number of the first image; those after it are counted on. It wraps at 2**32.
        """
        first = ops.cast(first_image, "int64")
        self.seed_generator.state.assign(ops.stack([ops.cast(key, "int64"), first]))

    def compile_with(self, compiler: Compiler) -> None:
        """Let `compiler` make the noise quick; the backend of Keras knows how, this layer not."""
        self._kept = compiler(_kept)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Shape of the values, unchanged."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """What the layer is built from."""
        return {**super().get_config(), "rate": self.rate}


def _kept(values: Any, state: Any, rate: float) -> Any:
    """`values` with some of them dropped, and the others enlarged."""
    shape = ops.shape(values)
    scale = ops.cast(1 / (1 - rate), values.dtype)

    def drop(values: Any) -> Any:
        kept = _hashes(shape, state) >= np.uint32(round(rate * 2**32))
        return ops.where(kept, values * scale, ops.zeros((), values.dtype))

    @ops.custom_gradient  # type: ignore[untyped-decorator]
    def dropped(values: Any) -> Any:
        # The gradient hashes again, which is cheaper than to remember what was kept.
        def gradient(*args: Any, upstream: Any = None) -> Any:
            return drop(args[0] if upstream is None else upstream)

        return drop(values), gradient

    return dropped(values)


def _hashes(shape: Any, state: Any) -> Any:
    """A hash of each value of images of `shape`, uniform over uint32."""
    images, height, width, maps = shape
    number = _counted(images) + state[1]
    keys = _mixed(number ^ state[0]), _mixed(number * np.uint32(0x9E3779B9) + state[0])
    one, other = (ops.reshape(key, (-1, 1, 1, 1)) for key in keys)
    place = ops.reshape(_counted(height * width * maps), (1, height, width, maps))
    return _mixed(_mixed(place + one) ^ other)


def _counted(count: Any) -> Any:
    return ops.cast(ops.arange(count, dtype="int32"), "uint32")


def _mixed(number: Any) -> Any:
    number = (number ^ ops.right_shift(number, np.uint32(16))) * np.uint32(0x7FEB352D)
    number = (number ^ ops.right_shift(number, np.uint32(15))) * np.uint32(0x846CA68B)
    return number ^ ops.right_shift(number, np.uint32(16))
