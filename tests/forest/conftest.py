"""Small worlds for the tests of the forest."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fgunet.forest.samples import Samples
from fgunet.nomenclature import LandCoverClass, Nomenclature

DATES, BANDS = ("20160105", "20160115"), ("B02", "B8A")
NOMENCLATURE = Nomenclature(
    "three classes",
    tuple(LandCoverClass(code, f"class {code}", (code, 0, 0), "") for code in (11, 44, 222)),
)


def make_samples(
    count: int = 300, codes: tuple[int, ...] = (11, 44, 222), seed: int = 3
) -> Samples:
    """Pixels of which only the second date's first band tells the class."""
    random = np.random.default_rng(seed)
    code = random.choice(np.array(codes, np.uint8), count)
    values = random.integers(0, 9000, (count, 4)).astype(np.uint16)
    values[:, 2] = code.astype(np.uint16) * 30 + random.integers(0, 500, count)
    pixels = pd.DataFrame(
        {
            "tile": "T31TCJ",
            "row": np.arange(count, dtype=np.uint32),
            "column": np.uint32(0),
            "polygon_id": np.arange(count, dtype=np.uint32) // 10,
            "code": code,
            "key": np.arange(count, dtype=np.uint64),
        }
    )
    return Samples(pixels, values, DATES, BANDS)


@pytest.fixture(scope="session")
def samples() -> Samples:
    return make_samples()


@pytest.fixture(scope="session")
def sampled() -> Callable[..., Samples]:
    return make_samples


@pytest.fixture(scope="session")
def nomenclature() -> Nomenclature:
    return NOMENCLATURE
