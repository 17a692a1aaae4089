"""From probabilities to what a map says of its pixels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from fgunet.calibration import scaled
from fgunet.nomenclature import NODATA_CODE, NODATA_CONFIDENCE

TIE = 1e-5
"""Two classes tie where their probabilities are nearer than this: rounding may move them so far."""


@dataclass(frozen=True)
class Layers:
    """What is made of each pixel besides its class.

    Attributes
    ----------
    margin : bool
        By how many percent the best class is ahead of the second.
    probabilities : {None, "uint8", "float16"}
        The probability of every class: in percent, as a fraction, or not at all.
    temperature : float, optional
        What confidence, margin and probabilities are scaled by (`fgunet.calibration.scaled`).
    """

    margin: bool = False
    probabilities: Literal["uint8", "float16"] | None = None
    temperature: float | None = None


@dataclass(frozen=True)
class Decided:
    """What a map says of a window.

    Attributes
    ----------
    codes : ndarray (y, x) uint8
        Most probable class, the lowest code where two are; 0 without data.
    confidence : ndarray (y, x) uint8
        Its probability in percent, 0 to 100; 255 without data.
    margin : ndarray (y, x) uint8, or None
        Percent by which it is ahead of the second, 0 to 100; 255 without data.
    probabilities : ndarray (class, y, x) uint8 or float16, or None
        Of each class, in percent with 255 without data, or as a fraction with NaN.
    ties : int
        Pixels whose two best classes are nearer than `TIE`.
    """

    codes: NDArray[np.uint8]
    confidence: NDArray[np.uint8]
    margin: NDArray[np.uint8] | None
    probabilities: NDArray[np.uint8] | NDArray[np.float16] | None
    ties: int


def decide(
    probabilities: NDArray[np.floating[Any]],
    codes: Sequence[int],
    missing: NDArray[np.bool_],
    layers: Layers,
) -> Decided:
    """Choose the class of each pixel, and say how sure it is.

    Classes and ties are those of the probabilities as they are given, whatever the temperature.

    Parameters
    ----------
    probabilities : ndarray (class, y, x) float
        Of each class, 0 to 1.
    codes : sequence of int
        Codes of the classes, rising.
    missing : ndarray (y, x) bool
        True for pixels without data.
    layers : Layers
        What else is made.
    """
    classes = np.asarray(codes, dtype=np.uint8)[probabilities.argmax(axis=0)]
    second, first = _two_best(probabilities)
    ties = int(np.count_nonzero((first - second < TIE) & ~missing))
    if layers.temperature is not None:
        probabilities = scaled(probabilities, layers.temperature)
        second, first = _two_best(probabilities)
    return Decided(
        codes=np.where(missing, np.uint8(NODATA_CODE), classes),
        confidence=_percent(first, missing),
        margin=_percent(first - second, missing) if layers.margin else None,
        probabilities=_stored(probabilities, missing, layers.probabilities),
        ties=ties,
    )


def nothing(shape: tuple[int, int], n_classes: int, layers: Layers) -> Decided:
    """What a map says of a window (y, x) without any data."""
    return decide(np.zeros((n_classes, *shape), np.float32), range(n_classes),
                  np.ones(shape, dtype=bool), layers)  # fmt: skip


def _two_best(
    probabilities: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.floating[Any]], NDArray[np.floating[Any]]]:
    """The second largest and the largest (y, x); 0 is second where there is one class only."""
    if len(probabilities) == 1:
        return np.zeros_like(probabilities[0]), probabilities[0]
    second, first = np.partition(probabilities, len(probabilities) - 2, axis=0)[-2:]
    return second, first


def _percent(share: NDArray[np.floating[Any]], missing: NDArray[np.bool_]) -> NDArray[np.uint8]:
    percent: NDArray[np.uint8] = np.rint(100 * share).clip(0, 100).astype(np.uint8)
    percent[..., missing] = NODATA_CONFIDENCE
    return percent


def _stored(
    probabilities: NDArray[np.floating[Any]],
    missing: NDArray[np.bool_],
    numbers: Literal["uint8", "float16"] | None,
) -> NDArray[np.uint8] | NDArray[np.float16] | None:
    if numbers is None:
        return None
    if numbers == "uint8":
        return _percent(probabilities, missing)
    halves = probabilities.astype(np.float16)
    halves[..., missing] = np.nan
    return halves
