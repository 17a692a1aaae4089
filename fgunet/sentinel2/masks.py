"""Which pixels a product's masks rule out, and why.

A kind of mask is a file whose numbers (0..255) say something about the pixels; a reason is what
the user may switch: clouds, shadows, ... Each product family brings its own kinds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.compiled import compiled
from fgunet.sentinel2.theia_format import SATURATION_BITS_10M, SATURATION_BITS_20M

REASONS = ("cloud", "shadow", "edge", "saturation", "nodata", "dark", "snow")
"""Why a pixel may be unusable: clouds (thin ones included), their shadows, outside of the orbit,
saturation or defect, no measurement, dark features (shadows of the terrain), snow."""

SPREADING = ("cloud", "shadow")
"""Reasons whose pixels are dilated: their borders are uncertain."""

_NUMBERS = np.arange(256)


def chosen_reasons(switches: Mapping[str, bool | float]) -> tuple[str, ...]:
    """The reasons that the section "masks" of a configuration switches on."""
    return tuple(reason for reason in REASONS if switches[reason])


@dataclass(frozen=True)
class Masking:
    """What makes a pixel unusable.

    Attributes
    ----------
    reasons : tuple of str
        Members of `REASONS`; the others are not looked at.
    dilation_m : float
        Pixels up to so many metres from a cloud or shadow are unusable too (between centres).
    """

    reasons: tuple[str, ...]
    dilation_m: float = 0.0


Rule = Callable[[NDArray[np.int64], Sequence[str]], NDArray[np.bool_]]
"""Says of each of the numbers given, for the bands used, whether it rules a pixel out."""


def _bits(*bits: int) -> Rule:
    """Numbers with any of these bits (lowest 0)."""
    wanted = sum(1 << bit for bit in bits)
    return lambda numbers, bands: np.not_equal(numbers & wanted, 0)


def _bits_of_bands(*order: str) -> Rule:
    """Numbers with the bit of a band that is used; the bits stand for the bands in `order`."""
    return lambda numbers, bands: _bits(*(bit for bit, band in enumerate(order) if band in bands))(
        numbers, bands
    )


def _classes(*classes: int) -> Rule:
    """These numbers."""
    return lambda numbers, bands: np.isin(numbers, classes)


def _theia_cloud(numbers: NDArray[np.int64], bands: Sequence[str]) -> NDArray[np.bool_]:
    """Bit 0 says "cloud or shadow" and counts as cloud where no bit says shadow."""
    unexplained = _bits(0)(numbers, bands) & ~_THEIA_SHADOW(numbers, bands)
    return _bits(1, 2, 3, 4, 7)(numbers, bands) | unexplained


_THEIA_SHADOW = _bits(5, 6)

MASK_KINDS: dict[str, dict[str, Rule]] = {
    # Clouds of Theia: bit 1 all but the thinnest, 2 and 3 how they were found, 4 the thinnest,
    # 7 high ones. Shadows: 5 of clouds in the image, 6 of clouds outside.
    "CLM": {"cloud": _theia_cloud, "shadow": _THEIA_SHADOW},
    "EDG": {"edge": _bits(*range(8))},
    "SAT_R1": {"saturation": _bits_of_bands(*SATURATION_BITS_10M)},
    "SAT_R2": {"saturation": _bits_of_bands(*SATURATION_BITS_20M)},
    # Scene classification of sen2cor.
    "SCL": {
        "nodata": _classes(0),
        "saturation": _classes(1),
        "dark": _classes(2),
        "shadow": _classes(3),
        "cloud": _classes(8, 9, 10),
        "snow": _classes(11),
    },
}
"""Rules of each kind of mask by the reason they give."""

GREATEST_NUMBERS = {"SCL": 11}
"""Greatest number of the kinds of mask whose numbers do not all have a meaning; others are bits."""


def ruled_out(kind: str, reasons: Sequence[str], bands: Sequence[str]) -> NDArray[np.bool_]:
    """For each number 0..255 of a mask whether it rules a pixel out.

    Parameters
    ----------
    kind : str
        Kind of mask, a key of `MASK_KINDS`.
    reasons : sequence of str
        Reasons that count.
    bands : sequence of str
        Bands that are used.

    Returns
    -------
    ndarray of bool, shape (256,)
        To be indexed by the mask: ``ruled_out(...)[mask]``.
    """
    table = np.zeros(256, bool)
    for reason, rule in MASK_KINDS[kind].items():
        if reason in reasons:
            table |= rule(_NUMBERS, bands)
    return table


def look_up(table: NDArray[np.bool_], mask: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """``table[mask]``, without the interpreter's lock.

    Parameters
    ----------
    table : ndarray of bool, shape (256,)
        As `ruled_out` gives it.
    mask : ndarray of uint8, shape (y, x), C-contiguous
        Numbers of a mask.
    """
    found = np.empty(mask.shape, np.bool_)
    _look_up(table, mask.reshape(-1), found.reshape(-1))
    return found


@compiled
def _look_up(
    table: NDArray[np.bool_], numbers: NDArray[np.uint8], found: NDArray[np.bool_]
) -> None:
    for place in range(found.size):
        found[place] = table[numbers[place]]
