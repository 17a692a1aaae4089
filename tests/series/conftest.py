"""Small series and made-up acquisitions."""

from pathlib import Path

import numpy as np
import pytest

from fgunet.grid import Grid
from fgunet.series.layout import Layout

GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 5e6), 40, 56)


class Made:
    """An acquisition in memory: values of its bands, and where it is valid."""

    def __init__(self, values, valid=True, grid=GRID):
        shape = (len(values), *grid.shape)
        values = np.asarray(values, np.uint16)
        self.values = values if values.ndim == 3 else np.broadcast_to(values[:, None, None], shape)
        self.valid = np.broadcast_to(np.asarray(valid), grid.shape)
        self.loaded = []

    def load(self, window):
        self.loaded.append(window)
        return self

    def resolve(self, window, reflectance):
        rows, cols = window.slices
        reflectance[:] = self.values[:, rows, cols]
        return self.valid[rows, cols].copy()


@pytest.fixture(scope="session")
def make_acquisition():
    """The class of acquisitions in memory."""
    return Made


def small_layout():
    return Layout(
        tile="T31TCJ",
        grid=GRID,
        dates=("20180105", "20180111"),
        bands=("B02", "B11"),
        provenance={"library": "0"},
        shard=(16, 32),
        chunk=8,
    )


@pytest.fixture
def layout():
    return small_layout()


@pytest.fixture(scope="session")
def make_layout():
    """What the layout of the tests is made by."""
    return small_layout


def contents(path: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()
    }
