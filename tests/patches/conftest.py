"""Stand-ins for the files of a tile."""

from dataclasses import dataclass

import numpy as np
import pytest

from fgunet.grid import Grid


@dataclass
class ArraySeries:
    values: np.ndarray  # (date, band, y, x)
    nodata: int = 65535

    @property
    def grid(self):
        return Grid("EPSG:32631", (10, 0, 0, 0, -10, 0), *self.values.shape[2:])

    @property
    def dates(self):
        return tuple(f"201801{day + 1:02d}" for day in range(self.values.shape[0]))

    @property
    def bands(self):
        return tuple(f"B{band:02d}" for band in range(self.values.shape[1]))

    def read(self, window):
        rows, cols = window.slices
        return self.values[:, :, rows, cols]


@dataclass
class ArrayLabels:
    values: np.ndarray  # (y, x)

    @property
    def grid(self):
        return Grid("EPSG:32631", (10, 0, 0, 0, -10, 0), *self.values.shape)

    def read(self, window):
        return self.values[window.slices]


@pytest.fixture(scope="session")
def array_series():
    return ArraySeries


@pytest.fixture(scope="session")
def array_labels():
    return ArrayLabels


@pytest.fixture(scope="session")
def some_labels():
    def make(shape, seed=0, share=0.3, n_classes=3):
        generator = np.random.default_rng(seed)
        labels = generator.integers(n_classes, size=shape).astype(np.uint8)
        labels[generator.random(shape) > share] = 255
        return ArrayLabels(labels)

    return make
