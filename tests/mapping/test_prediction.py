import logging
import threading
import weakref

import numpy as np
import pytest

from fgunet.grid import Window
from fgunet.mapping.decision import Layers
from fgunet.mapping.prediction import Memory, classify
from fgunet.mapping.windows import plan_windows
from tests.mapping.predictors import CODES, NODATA, ArraySeries, Brightness, make_values


def whole_map(predictor, read, shape, core) -> tuple[np.ndarray, np.ndarray]:
    codes, confidence = np.full(shape, 99, np.uint8), np.full(shape, 199, np.uint8)

    def write(window: Window, decided) -> None:
        codes[window.slices], confidence[window.slices] = decided.codes, decided.confidence

    windows = plan_windows(shape, core=core, halo=predictor.halo, stride=predictor.stride)
    classify(predictor, read, windows, write, nodata=NODATA, layers=Layers())
    return codes, confidence


@pytest.mark.parametrize("core", [5, 16, 33])
def test_map_does_not_depend_on_the_windows(core: int) -> None:
    series = ArraySeries(make_values((41, 33)))
    expected = whole_map(Brightness(), series.read, (41, 33), 41)
    found = whole_map(Brightness(), series.read, (41, 33), core)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert set(np.unique(expected[0])) == set(CODES)
    assert expected[1].max() <= 100


def test_windows_without_data_are_not_predicted() -> None:
    values = make_values((32, 32))
    values[:, :, :16] = NODATA
    predictor = Brightness()
    codes, confidence = whole_map(predictor, ArraySeries(values).read, (32, 32), 16)
    assert len(predictor.calls) == 2
    assert (codes[:16] == 0).all()
    assert (confidence[:16] == 255).all()
    assert (codes[16:] != 0).all()


def test_reading_predicting_and_writing_go_on_at_the_same_time() -> None:
    """Each waits for the other two: were they done one after the other, this would never end."""
    series = ArraySeries(make_values((40, 10)))
    together = threading.Barrier(3, timeout=20)
    reads: list[Window] = []

    def read(window: Window) -> np.ndarray:
        reads.append(window)
        if len(reads) == 3:
            together.wait()
        return series.read(window)

    class Waiting(Brightness):
        def predict(self, values: np.ndarray) -> np.ndarray:
            found = super().predict(values)
            if len(self.calls) == 2:
                together.wait()
            return found

    written: list[Window] = []

    def write(window: Window, _) -> None:
        written.append(window)
        if len(written) == 1:
            together.wait()

    windows = plan_windows((40, 10), core=10, halo=2, stride=1)
    classify(Waiting(), read, windows, write, nodata=NODATA, layers=Layers())
    assert written == [window.core for window in windows]
    assert reads == [window.read for window in windows]


def test_two_series_are_in_memory_at_most() -> None:
    alive: list[weakref.ref] = []
    most = 0

    def read(window: Window) -> np.ndarray:
        nonlocal most
        values = np.full((1, 1, *window.shape), 3000, np.uint16)
        alive.append(weakref.ref(values))
        most = max(most, sum(each() is not None for each in alive))
        return values

    windows = plan_windows((60, 10), core=10, halo=2, stride=1)
    classify(Brightness(), read, windows, lambda *_: None, nodata=NODATA, layers=Layers())
    assert most == 2


@pytest.mark.parametrize("failing", ["read", "write"])
def test_errors_of_the_threads_arrive(failing: str) -> None:
    series = ArraySeries(make_values((20, 20)))

    def fail(*_: object) -> np.ndarray:
        raise OSError("the disk is gone")

    read = fail if failing == "read" else series.read
    write = fail if failing == "write" else (lambda *_: None)
    windows = plan_windows((20, 20), core=10, halo=2, stride=1)
    with pytest.raises(OSError, match="gone"):
        classify(Brightness(), read, windows, write, nodata=NODATA, layers=Layers())


def test_memory_becomes_pixels(caplog: pytest.LogCaptureFixture) -> None:
    memory = Memory(fixed_mb=850, bytes_per_pixel=2000)
    assert memory.pixels(2850) == 1e6
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        assert memory.pixels(900) == 256 * 256
    assert "give the rule more mem_mb" in caplog.text
