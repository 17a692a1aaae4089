"""A series and predictors for the tests of windows and maps."""

import threading

import numpy as np
from scipy.ndimage import uniform_filter

from fgunet.grid import Grid
from fgunet.mapping.prediction import Memory
from fgunet.nomenclature import LandCoverClass, Nomenclature

DATES, BANDS, NODATA = ("20160105", "20160115"), ("B02", "B8A"), 65535
CODES = (11, 44, 222)
CLASSES = Nomenclature(
    "three classes",
    tuple(LandCoverClass(code, f"class {code}", (code, 1, 2), "") for code in CODES),
)


def make_values(shape: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(1)
    rough = random.random((2, 2, *shape)) * 9000
    return uniform_filter(rough, (0, 0, 3, 3)).astype(np.uint16)


class ArraySeries:
    """A series in memory."""

    dates, bands, nodata = DATES, BANDS, NODATA
    tile, identity = "T31TCJ", "made once"

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.grid = Grid(
            "EPSG:32631", (10.0, 0.0, 300000.0, 0.0, -10.0, 4900020.0), *values.shape[2:]
        )

    def read(self, window) -> np.ndarray:
        return self._values[(..., *window.slices)].copy()


class Brightness:
    """Class by the mean of a square around the pixel, with a halo that it truly needs."""

    codes = CODES
    halo = 2
    stride = 1
    exact = True
    memory = Memory(100, 2000)

    def __init__(self) -> None:
        self.calls: list[tuple[int, ...]] = []
        self.threads: set[int] = set()

    def predict(self, series: np.ndarray) -> np.ndarray:
        self.calls.append(series.shape)
        self.threads.add(threading.get_ident())
        mean = uniform_filter(series[0, 0].astype(float), 5, mode="constant")
        near = np.stack([-abs(mean - level) for level in (2000, 4000, 6000)])
        return (np.exp(near / 500) / np.exp(near / 500).sum(axis=0)).astype(np.float32)


METADATA = {
    "nomenclature": "three classes",
    "dates": list(DATES),
    "bands": list(BANDS),
    "codes": list(CODES),
    "low": [[500.0, 500.0], [500.0, 600.0]],
    "high": [[8000.0, 7000.0], [8000.0, 8500.0]],
    "nodata": NODATA,
}
"""What a training of a network on such series tells."""
