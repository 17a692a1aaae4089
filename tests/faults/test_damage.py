"""A byte of a store that flipped on the disk."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.faults.chain import Chain
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

SEED = 9


@pytest.mark.parametrize("place", range(3))
def test_a_store_with_a_flipped_byte_is_made_anew(
    place: int, copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    store, target = "results/series/T31TGK.zarr", "results/statistics/T31TGK.npz"
    copied.remove(target)
    # The files of pixels; what one bit of the counts beside them does shows in the report.
    shards = sorted((copied.folder / store / "series" / "c").rglob("*/*"))
    _flip(shards[-1], np.random.default_rng(SEED + place))
    noticed = copied.run(target)
    assert noticed.status != 0
    assert re.search(rf"{store}.* is damaged: .* removed; start again", noticed.said)
    assert not (copied.folder / store).exists()
    copied.finish(target)
    tried("flipped byte in a store", "training_statistics")
    assert not difference(results_of(copied.folder), expected)


def _flip(path: Path, chosen: np.random.Generator) -> None:
    content = bytearray(path.read_bytes())
    content[chosen.integers(len(content))] ^= 1 << chosen.integers(8)
    path.write_bytes(content)
