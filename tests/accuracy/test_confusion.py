import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from fgunet.accuracy.confusion import Confusion, confuse, count_confusion, count_unmapped, pool
from fgunet.errors import AccuracyError

CODES = (11, 51, 211)


def test_counts_known_pixels_by_row_and_column():
    reference = np.array([[11, 11, 51, 0], [211, 51, 11, 51]], dtype=np.uint8)
    mapped = np.array([[11, 51, 51, 11], [211, 11, 0, 51]], dtype=np.uint8)
    assert count_confusion(reference, mapped, CODES).tolist() == [[1, 1, 0], [1, 2, 0], [0, 0, 1]]
    assert count_unmapped(reference, mapped) == 1


def test_agrees_with_scikit_learn():
    random = np.random.default_rng(1)
    reference, mapped = random.choice(CODES, size=(2, 500)).astype(np.uint8)
    expected = confusion_matrix(reference, mapped, labels=CODES)
    counted = count_confusion(reference, mapped, CODES)
    assert counted.dtype == np.int64
    np.testing.assert_array_equal(counted, expected)


def test_refuses_an_unknown_code_and_another_shape():
    known = np.array([11], dtype=np.uint8)
    with pytest.raises(AccuracyError, match=r"map holds the codes \[12\]"):
        count_confusion(known, np.array([12], dtype=np.uint8), CODES)
    with pytest.raises(AccuracyError, match=r"reference holds the codes \[12\]"):
        count_confusion(np.array([12], dtype=np.uint8), known, CODES)
    with pytest.raises(AccuracyError, match="same pixels"):
        count_confusion(known, np.array([11, 11], dtype=np.uint8), CODES)


def _world(seed, size=400, polygons=12):
    random = np.random.default_rng(seed)
    polygon = random.integers(0, polygons, size).astype(np.uint32)
    code = np.array(CODES, dtype=np.uint8)[polygon % 3]
    code[polygon == 0] = 0
    mapped = random.choice([0, *CODES], size=size).astype(np.uint8)
    return polygon, code, mapped


@given(st.integers(0, 1000), st.lists(st.integers(0, 400), max_size=5))
@settings(max_examples=25)
def test_blocks_of_any_size_give_one_result(seed, cuts):
    world = _world(seed)
    whole = confuse([world], tile="T", method="m", codes=CODES)
    blocks = list(zip(*(np.split(a, sorted(cuts)) for a in world), strict=True))
    pieces = confuse(reversed(blocks), tile="T", method="m", codes=CODES)
    assert pieces.to_dict() == whole.to_dict()
    np.testing.assert_array_equal(whole.matrix, count_confusion(world[1], world[2], CODES))
    assert whole.unmapped == count_unmapped(world[1], world[2])


def test_json_round_trip_keeps_everything():
    confusion = confuse([_world(3)], tile="T30TWT", method="forest", codes=CODES)
    written = json.loads(json.dumps(confusion.to_dict()))
    assert set(written) == {
        "tile", "method", "codes", "confusion", "unmapped", "polygon_confusion",
        "unmapped_polygons", "polygons",
    }  # fmt: skip
    assert Confusion.from_dict(written).to_dict() == written


def test_reading_refuses_a_foreign_code():
    written = confuse([_world(3)], tile="T", method="m", codes=CODES).to_dict()
    written["polygons"][0]["counts"]["77"] = 1
    with pytest.raises(AccuracyError, match="77"):
        Confusion.from_dict(written)


def test_pooling_makes_one_cluster_of_a_polygon_in_two_tiles():
    first = confuse([_world(1)], tile="A", method="m", codes=CODES)
    second = confuse([_world(2)], tile="B", method="m", codes=CODES)
    pooled = pool([first, second])
    assert pooled.tile == "pooled"
    np.testing.assert_array_equal(pooled.matrix, first.matrix + second.matrix)
    assert pooled.unmapped == first.unmapped + second.unmapped
    assert pooled.polygon_ids.tolist() == list(range(1, 12))
    assert pool([second, first]).to_dict() == pooled.to_dict()


def test_refuses_what_cannot_be_pooled():
    first = confuse([_world(1)], tile="A", method="m", codes=CODES)
    other = confuse([_world(1)], tile="A", method="n", codes=CODES)
    with pytest.raises(AccuracyError, match="cannot be pooled"):
        pool([first, other])
    with pytest.raises(AccuracyError, match="nothing to pool"):
        pool([])


def test_refuses_pixels_outside_polygons_and_polygons_of_two_classes():
    code = np.array([11, 51], dtype=np.uint8)
    with pytest.raises(AccuracyError, match="no polygon"):
        confuse([(np.array([1, 0]), code, code)], tile="T", method="m", codes=CODES)
    with pytest.raises(AccuracyError, match="more than one reference code"):
        confuse([(np.array([1, 1]), code, code)], tile="T", method="m", codes=CODES)


def test_a_tile_without_test_pixels_is_empty():
    nothing = confuse([], tile="T", method="m", codes=CODES)
    assert nothing.matrix.sum() == 0
    assert nothing.to_dict()["polygons"] == []
    assert Confusion.from_dict(nothing.to_dict()).polygon_ids.size == 0


def test_majorities_by_hand():
    # Clear, a tie with the reference, a tie without it, nothing mapped, and wrong.
    references = np.array([0, 1, 0, 2, 2])
    counts = np.array([[5, 4, 4], [6, 6, 1], [0, 3, 3], [0, 0, 0], [1, 0, 0]])
    unmapped = np.array([90, 0, 0, 7, 0])
    confusion = Confusion("T", "m", CODES, np.arange(1, 6), references, counts, unmapped)
    majority = confusion.by_majority()
    assert majority.counts.tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0]]
    assert majority.unmapped_counts.tolist() == [0, 0, 0, 1, 0]
    written = confusion.to_dict()
    assert written["polygon_confusion"] == [[1, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert written["unmapped_polygons"] == 1


@given(st.integers(0, 1000), st.permutations(CODES))
@settings(max_examples=25)
def test_a_polygon_is_right_where_its_class_has_more_pixels_than_any_other(seed, codes):
    confusion = confuse([_world(seed, size=60)], tile="T", method="m", codes=codes)
    majority = confusion.by_majority()
    voted = 0
    for row, reference in enumerate(confusion.references):
        pixels = confusion.counts[row].tolist()
        best = [place for place, count in enumerate(pixels) if count and count == max(pixels)]
        assert majority.counts[row].sum() == bool(best)
        if best:
            others = [place for place in best if place != reference]
            assert majority.counts[row].argmax() == (others[0] if others else reference)
            voted += 1
    assert majority.matrix.sum() == voted
    assert voted + majority.unmapped == confusion.polygon_ids.size
