import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fgunet.errors import NomenclatureError
from fgunet.mapping.overlap import OverlapCount, most_confident
from tests.mapping.tile_maps import NOMENCLATURE

CODES = arrays(np.uint8, (3, 4, 5), elements=st.sampled_from([0, 11, 44, 222]))


def row(*values: int) -> np.ndarray:
    return np.array([values], np.uint8)


def test_the_most_confident_by_hand() -> None:
    codes = [row(11, 11, 0, 0, 11, 0), row(44, 44, 44, 0, 44, 44)]
    percent = [row(50, 70, 255, 255, 255, 99), row(50, 71, 1, 255, 3, 255)]
    best, confidence = most_confident(codes, percent)
    assert best.tolist() == [[11, 44, 44, 0, 44, 44]]
    assert confidence.tolist() == [[50, 71, 1, 255, 3, 255]]


def test_pairs_by_hand() -> None:
    count = OverlapCount(NOMENCLATURE)
    count.add(["A", "B", "C"], [row(11, 11, 0, 222), row(11, 44, 44, 0), row(44, 0, 44, 0)])
    count.add(["A", "B"], [row(222), row(11)])
    assert {pair: counts.tolist() for pair, counts in count.pairs.items()} == {
        ("A", "B"): [[1, 1, 0], [0, 0, 0], [1, 0, 0]],
        ("A", "C"): [[0, 1, 0], [0, 0, 0], [0, 0, 0]],
        ("B", "C"): [[0, 1, 0], [0, 1, 0], [0, 0, 0]],
    }


@settings(max_examples=60)
@given(CODES)
def test_pairs_count_each_pixel_by_its_two_codes(codes: np.ndarray) -> None:
    count = OverlapCount(NOMENCLATURE)
    for part in np.split(codes, [1, 3], axis=1):  # windows
        count.add(["A", "B", "C"], list(part))
    for (a, first), (b, second) in (
        (("A", codes[0]), ("B", codes[1])),
        (("A", codes[0]), ("C", codes[2])),
        (("B", codes[1]), ("C", codes[2])),
    ):
        expected = [
            [int(((first == x) & (second == y)).sum()) for y in NOMENCLATURE.codes]
            for x in NOMENCLATURE.codes
        ]
        found = count.pairs.get((a, b), np.zeros((3, 3), int)).tolist()
        assert found == expected


def test_a_code_outside_the_nomenclature() -> None:
    with pytest.raises(NomenclatureError, match="12"):
        OverlapCount(NOMENCLATURE).add(["A", "B"], [row(12), row(11)])
