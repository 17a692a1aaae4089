"""Which pixels a product's masks rule out.

A rule takes the numbers of a mask file and the names of the bands asked for, and says which
pixels are not usable. A product family brings its own kinds of mask.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.sentinel2.theia_format import SATURATION_BITS_10M, SATURATION_BITS_20M

MaskRule = Callable[[NDArray[Any], Sequence[str]], NDArray[np.bool_]]


def _any_bit(mask: NDArray[Any], bands: Sequence[str]) -> NDArray[np.bool_]:
    """Pixels with any bit set."""
    return np.not_equal(mask, 0)


def _bits_of_bands(
    order: Sequence[str], mask: NDArray[Any], bands: Sequence[str]
) -> NDArray[np.bool_]:
    """Pixels with the bit of one of `bands` set; the bits stand for the bands in `order`."""
    wanted = sum(1 << bit for bit, band in enumerate(order) if band in bands)
    return np.not_equal(mask & wanted, 0)


MASK_RULES: dict[str, MaskRule] = {
    "CLM": _any_bit,
    "EDG": _any_bit,
    "SAT_R1": partial(_bits_of_bands, SATURATION_BITS_10M),
    "SAT_R2": partial(_bits_of_bands, SATURATION_BITS_20M),
}
"""Rules by kind of mask. Theia: CLM clouds and their shadows (any of its bits, thin clouds
included), EDG outside of the orbit, SAT_R1 and SAT_R2 saturation of the 10 m and 20 m bands."""
