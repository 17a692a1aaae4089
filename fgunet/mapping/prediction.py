"""Class codes and confidence, window by window, from any predictor."""

import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window
from fgunet.logs import Progress
from fgunet.mapping.windows import MappingWindow, plan_windows
from fgunet.nomenclature import NODATA_CODE

NODATA_CONFIDENCE = 255
"""Confidence of a pixel without class."""

_log = logging.getLogger(__name__)


class Predictor(Protocol):
    """A model that gives the probability of each class for each pixel of a window."""

    @property
    def codes(self) -> Sequence[int]:
        """Codes of the classes, in the order of the probabilities."""
        ...

    @property
    def halo(self) -> int:
        """Pixels around a window that its result depends on."""
        ...

    @property
    def stride(self) -> int:
        """Multiple on which windows must begin, in pixels."""
        ...

    def predict(self, series: NDArray[np.uint16]) -> NDArray[np.floating[Any]]:
        """Probabilities (class, y, x) of a series (time, band, y, x)."""
        ...


def classify(
    predictor: Predictor,
    read: Callable[[Window], NDArray[np.uint16]],
    shape: tuple[int, int],
    *,
    core: int,
    nodata: int,
) -> Iterator[tuple[Window, NDArray[np.uint8], NDArray[np.uint8]]]:
    """Map a tile window by window; the next one is read while one is predicted.

    Parameters
    ----------
    predictor : Predictor
        The model.
    read : callable
        Gives the series (time, band, y, x) uint16 of a window.
    shape : tuple of int
        (height, width) of the tile in pixels.
    core : int
        Side of the windows in pixels. The result does not depend on it.
    nodata : int
        Value of pixels without data in the series.

    Yields
    ------
    window : Window
        Part of the map; the last ones of a row or column may overlap, with the same values.
    codes : ndarray (y, x) uint8
        Most probable class, the lowest code where two are; 0 without data.
    confidence : ndarray (y, x) uint8
        Its probability in percent, 0 to 100; 255 without data.
    """
    windows = plan_windows(shape, core=core, halo=predictor.halo, stride=predictor.stride)
    progress = Progress("windows", len(windows))
    empty = 0

    def load(window: MappingWindow) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        series = read(window.read)
        inside = series[(..., *window.core.relative_to(window.read).slices)]
        return series, (inside == nodata).any(axis=(0, 1))

    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(load, windows[0])
        for number, window in enumerate(windows):
            series, missing = ahead.result()
            if number + 1 < len(windows):
                ahead = reader.submit(load, windows[number + 1])
            inside = (..., *window.core.relative_to(window.read).slices)
            if missing.all():
                empty += 1
                yield window.core, *_nothing(missing.shape)
            else:
                probabilities = predictor.predict(series)[inside]
                yield window.core, *_decide(probabilities, predictor.codes, missing)
            progress.advance()
    _log.info("%d windows mapped, %d of them without any data", len(windows), empty)


def _nothing(shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    return (
        np.full(shape, NODATA_CODE, dtype=np.uint8),
        np.full(shape, NODATA_CONFIDENCE, dtype=np.uint8),
    )


def _decide(
    probabilities: NDArray[np.floating[Any]], codes: Sequence[int], missing: NDArray[np.bool_]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    classes = np.asarray(codes, dtype=np.uint8)[probabilities.argmax(axis=0)]
    confidence = np.rint(100 * probabilities.max(axis=0)).clip(0, 100).astype(np.uint8)
    classes[missing] = NODATA_CODE
    confidence[missing] = NODATA_CONFIDENCE
    return classes, confidence
