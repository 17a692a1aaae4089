"""How far an input pixel reaches, and where windows must begin."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

import keras
from keras import layers

from fgunet.errors import ModelError
from fgunet.network.dropout import CounterDropout
from fgunet.network.layers import BatchToGroups, GroupsToBatch

_POINTWISE = (
    layers.InputLayer,
    CounterDropout,
    layers.Activation,
    layers.Concatenate,
    GroupsToBatch,
    BatchToGroups,
)


@dataclass(frozen=True)
class _Reach:
    """Pixel p of a tensor sees the input pixels p * stride - before .. p * stride + after."""

    stride: int = 1
    before: int = 0
    after: int = 0

    def joined(self, other: "_Reach") -> "_Reach":
        if other.stride != self.stride:
            raise ModelError(f"maps of strides {self.stride} and {other.stride} are joined")
        before, after = max(self.before, other.before), max(self.after, other.after)
        return _Reach(self.stride, before, after)


def required_halo(model: keras.Model) -> int:
    """Pixels to add on each side of a window, for the same result as on the whole image.

    The farthest input pixel an output sees, rounded up to a multiple of `required_stride`, so
    that a window grown by it begins where pooling begins.

    Parameters
    ----------
    model : keras.Model
        A functional model of convolutions, poolings and enlargements.

    Returns
    -------
    int
        Pixels.

    Raises
    ------
    ModelError
        If a layer's reach is not known.
    """
    stride = required_stride(model)
    reaches = _reaches(model)
    farthest = max(max(reach.before, reach.after) for reach in reaches.values())
    return -(-farthest // stride) * stride


def required_stride(model: keras.Model) -> int:
    """Multiple on which windows must begin and which their sides must be, in pixels.

    Raises
    ------
    ModelError
        If a layer's reach is not known.
    """
    return max(reach.stride for reach in _reaches(model).values())


def _reaches(model: keras.Model) -> dict[int, _Reach]:
    """Reach of each tensor of the model (by identity), from the input on."""
    reaches: dict[int, _Reach] = {}
    for layer in model.layers:  # from the input on: each follows what it takes in
        taken = layer.input if isinstance(layer.input, list) else [layer.input]
        known = [reaches[id(tensor)] for tensor in taken if id(tensor) in reaches]
        reaches[id(layer.output)] = _after(
            layer, reduce(_Reach.joined, known, known[0]) if known else _Reach()
        )
    return reaches


def _after(layer: Any, reach: _Reach) -> _Reach:
    """Reach behind `layer`."""
    if isinstance(layer, _POINTWISE):
        return reach
    if isinstance(layer, layers.Conv2D) and layer.strides == (1, 1):
        return _after_convolution(layer, reach)
    if isinstance(layer, layers.MaxPooling2D) and layer.pool_size == layer.strides:
        size = _square(layer.pool_size, layer.name)
        return _Reach(reach.stride * size, reach.before, reach.after + reach.stride * (size - 1))
    if isinstance(layer, layers.UpSampling2D) and layer.interpolation == "nearest":
        size = _square(layer.size, layer.name)
        stride = reach.stride // size
        return _Reach(stride, reach.before + stride * (size - 1), reach.after)
    raise ModelError(
        f"the reach of layer {layer.name!r} ({type(layer).__name__}) is not known; "
        "add it to fgunet.network.reach"
    )


def _after_convolution(layer: Any, reach: _Reach) -> _Reach:
    side = _square(layer.kernel_size, layer.name)
    span = (side - 1) * _square(layer.dilation_rate, layer.name)
    if span and layer.padding != "same":
        raise ModelError(f"convolution {layer.name!r} shrinks its image; use padding 'same'")
    before = span // 2
    after = span - before
    stride = reach.stride
    return _Reach(stride, reach.before + stride * before, reach.after + stride * after)


def _square(sides: tuple[int, int], name: str) -> int:
    if sides[0] != sides[1]:
        raise ModelError(f"layer {name!r} is not square: {sides}")
    return int(sides[0])
