"""FG-UNET: a U-Net and a pixel-wise network, shared by all groups of dates."""

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers

from fgunet.errors import ModelError
from fgunet.network.dropout import CounterDropout
from fgunet.network.layers import BatchToGroups, GroupsToBatch, PixelwiseConvolution

REFERENCE_WIDTH = 32
"""Filters of the U-Net's first level in the published network."""

PIXELWISE_FILTERS = (200, 100, 50)
"""Filters of the pixel-wise path at the published width."""

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}
"""Keras's name of each precision."""

GROUPS, MAPS, HEAD = "groups_to_batch", "maps", "logits"
"""Names of the layers between which one group is treated alone, and of the head."""

ENLARGE, SKIP, AFTER_SKIP = "enlarge", "skip", "conv1"
"""Ends of the names of the layers that bring coarse and fine maps together, and of the next."""

UPWARD = ("up2", "up1")
"""Beginnings of their names, from the coarse level up."""


def build_fgunet(
    *,
    n_groups: int,
    dates_per_group: int,
    n_bands: int,
    n_classes: int,
    width: int = REFERENCE_WIDTH,
    dropout: float = 0.2,
    precision: str = "float32",
) -> keras.Model:
    """Build FG-UNET (Stoian et al. 2019, Remote Sensing 11(17) 1986).

    The channels are cut into groups of consecutive dates. One sub-network, its weights shared,
    is applied to each: a U-Net of three levels and, beside it, a pixel-wise network of
    1x1 convolutions that keeps what pooling would blur. The maps of all groups are joined and
    one 1x1 convolution gives the logits. All groups run as one batch, which measured faster
    than one call a group.

    Parameters
    ----------
    n_groups, dates_per_group, n_bands : int
        Groups, dates in each, and bands of each date.
    n_classes : int
        Classes, at least 2.
    width : int
        Filters of the U-Net's first level (then 2 and 4 times as many). The pixel-wise path
        (200, 100, 50 at the published width of 32) is narrowed in proportion.
    dropout : float
        Share of activations dropped in training, in [0, 1).
    precision : {"float32", "bfloat16"}
        Numbers that convolutions are computed in; weights and logits are float32 in both.

    Returns
    -------
    keras.Model
        Input (image, y, x, n_groups * dates_per_group * n_bands) float32 in [0, 1], date-major;
        y and x multiples of `required_stride`. Output (image, y, x, n_classes) logits.

    Raises
    ------
    ModelError
        If a number is out of its range.
    """
    _check(n_groups=n_groups, dates_per_group=dates_per_group, n_bands=n_bands, width=width)
    if n_classes < 2:
        raise ModelError(f"n_classes is {n_classes}; a classifier needs at least 2")
    if not 0 <= dropout < 1:
        raise ModelError(f"dropout is {dropout}; it must lie in [0, 1)")
    if precision not in POLICIES:
        raise ModelError(f"precision is {precision!r}; it must be one of {', '.join(POLICIES)}")
    channels = n_groups * dates_per_group * n_bands
    blocks = _Blocks(dropout, POLICIES[precision])
    image = keras.Input((None, None, channels), name="image")
    group = GroupsToBatch(n_groups, dtype=blocks.policy, name=GROUPS)(image)
    spatial = blocks.u_net(group, width)
    pixelwise = blocks.pixelwise(group, width)
    maps = layers.Concatenate(dtype=blocks.policy, name=MAPS)([pixelwise, spatial])
    joined = BatchToGroups(n_groups, dtype=blocks.policy, name="batch_to_groups")(maps)
    logits = layers.Conv2D(n_classes, 1, dtype="float32", name=HEAD)(joined)
    return keras.Model(image, logits, name="fgunet")


def set_noise(model: keras.Model, seed: int, first_sample: Any) -> None:
    """Choose the dropout of a network's next call in training.

    The noise of a sample depends on the seed and the sample's number alone: not on the samples
    beside it, nor on what was computed before.

    Parameters
    ----------
    model : keras.Model
        From `build_fgunet`.
    seed : int
        Seed of the run, at least 0.
    first_sample : int or scalar integer tensor
        Number of the first image of the call; those after it are counted on.
    """
    first_image = first_sample * model.get_layer(GROUPS).n_groups
    for number, layer in enumerate(noise_layers(model)):
        key = int(np.random.SeedSequence((seed, number)).generate_state(1)[0])
        layer.set_noise(key, first_image)


def noise_layers(model: keras.Model) -> list[CounterDropout]:
    """The layers of a network that drop values in training, in order."""
    return [layer for layer in model.layers if isinstance(layer, CounterDropout)]


def _check(**counts: int) -> None:
    for name, value in counts.items():
        if value < 1:
            raise ModelError(f"{name} is {value}; it must be at least 1")


@dataclass(frozen=True)
class _Blocks:
    """The blocks of the network, which share their dropout and their numbers."""

    dropout: float
    policy: str

    def u_net(self, group: Any, width: int) -> Any:
        fine = self._pair(group, width, "down1")
        middle = self._pair(self._pool(fine, "pool1"), 2 * width, "down2")
        coarse = self._pair(self._pool(middle, "pool2"), 4 * width, "bottom")
        up2, up1 = UPWARD
        middle = self._pair(self._join(coarse, middle, up2), 2 * width, up2)
        return self._pair(self._join(middle, fine, up1), width, up1)

    def pixelwise(self, group: Any, width: int) -> Any:
        maps = group
        for number, filters in enumerate(PIXELWISE_FILTERS, start=1):
            narrowed = max(1, round(filters * width / REFERENCE_WIDTH))
            maps = PixelwiseConvolution(
                narrowed, activation="relu", dtype=self.policy, name=f"pixel_conv{number}"
            )(maps)
            if number > 1:
                maps = self._drop(maps, f"pixel_dropout{number}")
        return maps

    def _pair(self, maps: Any, filters: int, name: str) -> Any:
        """Two 3x3 convolutions; dropout after the first."""
        maps = self._convolution(maps, filters, f"{name}_{AFTER_SKIP}")
        maps = self._drop(maps, f"{name}_dropout")
        return self._convolution(maps, filters, f"{name}_conv2")

    def _convolution(self, maps: Any, filters: int, name: str) -> Any:
        return layers.Conv2D(
            filters, 3, padding="same", activation="relu", dtype=self.policy, name=name
        )(maps)

    def _drop(self, maps: Any, name: str) -> Any:
        return CounterDropout(self.dropout, dtype=self.policy, name=name)(maps)

    def _pool(self, maps: Any, name: str) -> Any:
        return layers.MaxPooling2D(2, dtype=self.policy, name=name)(maps)

    def _join(self, coarse: Any, fine: Any, name: str) -> Any:
        """Coarse maps enlarged, and the skip connection."""
        enlarged = layers.UpSampling2D(
            2, interpolation="nearest", dtype=self.policy, name=f"{name}_{ENLARGE}"
        )(coarse)
        return layers.Concatenate(dtype=self.policy, name=f"{name}_{SKIP}")([enlarged, fine])
