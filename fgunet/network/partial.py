"""A network as inference runs it: group by group, in the numbers that are asked for."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from fgunet.errors import ModelError
from fgunet.network.enlarging import EnlargingConvolution
from fgunet.network.model import AFTER_SKIP, ENLARGE, GROUPS, HEAD, MAPS, POLICIES, SKIP, UPWARD


@dataclass(frozen=True)
class Path:
    """One of the paths that a group of dates goes through, and its part of the head.

    Attributes
    ----------
    maps_of : keras.Model
        (group image, y, x, channels of a group) to (group image, y, x, map). It shares the
        network's weights, or has copies of them: make it anew when they change.
    kernels : ndarray (group, map, class) float32
        The head's weights of each group.
    """

    maps_of: keras.Model
    kernels: NDArray[np.float32]


def partial_network(model: keras.Model) -> tuple[list[Path], NDArray[np.float32]]:
    """The parts to run `model` on one group and one path at a time, in a fraction of the memory.

    The head is linear, so the logits are a sum over groups and paths:
    ``bias + sum(maps_of(channels of group g) @ kernels[g])``. Where coarse maps are enlarged, an
    `EnlargingConvolution` takes the place of three layers, so the logits are those of the model
    but for rounding.

    Parameters
    ----------
    model : keras.Model
        From `fgunet.network.build_fgunet`, or loaded.

    Returns
    -------
    paths : list of Path
        The pixel-wise path and the U-Net.
    bias : ndarray (class,) float32
        The head's bias.

    Raises
    ------
    ModelError
        If `model` is not an FG-UNET.
    """
    try:
        folding, maps, head = (model.get_layer(name) for name in (GROUPS, MAPS, HEAD))
        quicker = dict(_joining(model, name) for name in UPWARD)
    except ValueError as error:
        raise ModelError(f"model {model.name!r} is not an FG-UNET: {error}") from error
    group = keras.Input(folding.output.shape[1:])
    made = _replayed(model, quicker, {id(folding.output): group})
    kernel, bias = head.get_weights()
    kernels = kernel.reshape(folding.n_groups, -1, kernel.shape[-1])
    ends = np.cumsum([tensor.shape[-1] for tensor in maps.input])
    parts = np.split(kernels, ends[:-1], axis=1)
    paths = [
        Path(keras.Model(group, made[id(tensor)]), part)
        for tensor, part in zip(maps.input, parts, strict=True)
    ]
    return paths, bias


def _joining(model: keras.Model, name: str) -> tuple[str, tuple[EnlargingConvolution, list[Any]]]:
    """Name of a convolution of joined maps, what takes its place, and what that takes in."""
    enlarge, skip, convolution = (
        model.get_layer(f"{name}_{part}") for part in (ENLARGE, SKIP, AFTER_SKIP)
    )
    coarse, fine = enlarge.input, skip.input[1]
    return convolution.name, (EnlargingConvolution(convolution, coarse.shape[-1]), [coarse, fine])


def _replayed(
    model: keras.Model,
    quicker: dict[str, tuple[EnlargingConvolution, list[Any]]],
    made: dict[int, Any],
) -> dict[int, Any]:
    """Call the layers again on what is `made` (by identity of the model's own tensors)."""
    for layer in model.layers:  # from the input on: each follows what it takes in
        called, taken = quicker.get(layer.name, (layer, layer.input))
        inputs = taken if isinstance(taken, list) else [taken]
        # The layers before the groups are left out so, and what the quicker ones made unneeded.
        known = bool(inputs) and all(id(tensor) in made for tensor in inputs)
        if not known or _replaced(layer.name):
            continue
        again = [made[id(tensor)] for tensor in inputs]
        made[id(layer.output)] = called(again if isinstance(taken, list) else again[0])
    return made


def _replaced(name: str) -> bool:
    return name.endswith((f"_{ENLARGE}", f"_{SKIP}"))


def with_precision(model: keras.Model, precision: str) -> keras.Model:
    """The same network, its convolutions computed in other numbers.

    Parameters
    ----------
    model : keras.Model
        From `fgunet.network.build_fgunet`, or loaded.
    precision : {"float32", "bfloat16"}
        Numbers; weights and logits are float32 in both.

    Raises
    ------
    ModelError
        If the precision is another one.
    """
    if precision not in POLICIES:
        raise ModelError(f"precision is {precision!r}; it must be one of {', '.join(POLICIES)}")

    def converted(layer: Any) -> Any:
        policy = "float32" if layer.name == HEAD else POLICIES[precision]
        return type(layer).from_config({**layer.get_config(), "dtype": policy})

    copy = keras.models.clone_model(model, clone_function=converted)
    copy.set_weights(model.get_weights())
    return copy
