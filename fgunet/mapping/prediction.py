"""Reading, predicting and writing windows, each while the others are done."""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window
from fgunet.logs import Progress
from fgunet.mapping.decision import Decided, Layers, decide, nothing
from fgunet.mapping.windows import MappingWindow

Item = TypeVar("Item")
Loaded = TypeVar("Loaded")

_SMALLEST_WINDOW = 256 * 256
"""Pixels that are read at a time at least."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Memory:
    """What predicting takes, with the series of the next window, in the process's memory.

    Attributes
    ----------
    fixed_mb : float
        Whatever the window's size, in megabytes.
    bytes_per_pixel : float
        For each pixel that is read at a time.
    """

    fixed_mb: float
    bytes_per_pixel: float

    def pixels(self, megabytes: float) -> float:
        """How many pixels may be read at a time; a warning where that is hardly a window."""
        pixels = (megabytes - self.fixed_mb) * 1e6 / self.bytes_per_pixel
        if pixels < _SMALLEST_WINDOW:
            _log.warning(
                "%.0f MB are little: the model alone takes %.0f MB, a window of 256 x 256 pixels "
                "%.0f MB; give the rule more mem_mb",
                megabytes,
                self.fixed_mb,
                _SMALLEST_WINDOW * self.bytes_per_pixel / 1e6,
            )
        return max(pixels, _SMALLEST_WINDOW)


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

    @property
    def memory(self) -> Memory:
        """What predicting takes."""
        ...

    @property
    def exact(self) -> bool:
        """Whether windows of any size give the same probabilities, to 1e-5."""
        ...

    def predict(self, series: NDArray[np.uint16]) -> NDArray[np.floating[Any]]:
        """Probabilities (class, y, x) of a series (time, band, y, x)."""
        ...


def classify(
    predictor: Predictor,
    read: Callable[[Window], NDArray[np.uint16]],
    windows: Sequence[MappingWindow],
    write: Callable[[Window, Decided], None],
    *,
    nodata: int,
    layers: Layers,
) -> None:
    """Map windows one after the other.

    While one is predicted, the next is read, and what the last one says is decided and written,
    each in a thread of its own. Windows without any data are not predicted.

    Parameters
    ----------
    predictor : Predictor
        The model.
    read : callable
        Gives the series (time, band, y, x) uint16 of a window.
    windows : sequence of MappingWindow
        What to map, with the predictor's halo and stride.
    write : callable
        Takes the core of each window and what the map says of it, in the order of the windows.
    nodata : int
        Value of pixels without data in the series.
    layers : Layers
        What is made besides class and confidence.
    """
    progress, empty = Progress("windows", len(windows)), 0

    def load(window: MappingWindow) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
        series = read(window.read)
        return series, _missing(series[_inside(window)], nodata)

    def finish(
        core: Window, probabilities: NDArray[np.floating[Any]] | None, missing: NDArray[np.bool_]
    ) -> None:
        if probabilities is None:
            write(core, nothing(core.shape, len(predictor.codes), layers))
        else:
            write(core, decide(probabilities, predictor.codes, missing, layers))
        progress.advance()

    with _behind() as behind:
        for window, (series, missing) in _ahead(load, windows):
            probabilities = None
            if missing.all():
                empty += 1
            else:
                probabilities = predictor.predict(series)[_inside(window)]
            del series  # before the window after the next is read
            behind(partial(finish, window.core, probabilities, missing))
    _log.info("%d windows mapped, %d of them without any data", len(windows), empty)


def _ahead(load: Callable[[Item], Loaded], items: Iterable[Item]) -> Iterator[tuple[Item, Loaded]]:
    """Each item and what is loaded of it, while that of the next is loaded in a thread."""
    with ThreadPoolExecutor(1) as thread:
        loading: tuple[Item, Future[Loaded]] | None = None
        for item in items:
            following = item, thread.submit(load, item)
            if loading:
                yield loading[0], loading[1].result()
            loading = following
        if loading:
            yield loading[0], loading[1].result()


@contextmanager
def _behind() -> Iterator[Callable[[Callable[[], None]], None]]:
    """A function that does work in a thread; it waits until the work before is done.

    So one piece waits at most, and a slow disk does not fill the memory.
    """
    with ThreadPoolExecutor(1) as thread:
        before = thread.submit(lambda: None)

        def behind(work: Callable[[], None]) -> None:
            nonlocal before
            before.result()
            before = thread.submit(work)

        yield behind
        before.result()


def _inside(window: MappingWindow) -> tuple[Any, ...]:
    """Where the core lies in arrays (..., y, x) of what was read."""
    return (..., *window.core.relative_to(window.read).slices)


def _missing(series: NDArray[np.uint16], nodata: int) -> NDArray[np.bool_]:
    """True where any date or band (time, band, y, x) has no data."""
    missing = np.zeros(series.shape[2:], dtype=bool)
    for date in series:
        missing |= (date == nodata).any(axis=0)
    return missing
