import itertools

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.reference.groups import units_of


def squares(lefts, size=10.0):
    return np.array([shapely.box(x, 0, x + size, size) for x in lefts], dtype=object)


def test_parts_of_a_feature_are_one_unit():
    units = units_of(
        squares([0, 100, 200]), np.array([7, 3, 7]), np.array([11, 12, 11]), min_distance=0.0
    )
    assert units.number.tolist() == [3, 7]
    assert units.of.tolist() == [1, 0, 1]
    assert units.area.tolist() == [100, 200]
    assert units.code.tolist() == [12, 11]


def test_close_polygons_hand_on_their_closeness():
    # Gaps of 4, 5 and 6 m: with 5 m only the first counts, with 5.1 m the chain of three.
    shapes, feature = squares([0, 14, 29, 45]), np.array([9, 8, 7, 6])
    code = np.array([11, 12, 12, 11])
    assert units_of(shapes, feature, code, min_distance=5.0).of.tolist() == [2, 2, 1, 0]
    chain = units_of(shapes, feature, code, min_distance=5.1)
    assert chain.of.tolist() == [1, 1, 1, 0]
    assert chain.number.tolist() == [6, 7]
    assert chain.code.tolist() == [11, 12]


def test_touching_polygons_are_apart_at_no_distance():
    units = units_of(squares([0, 10]), np.array([1, 2]), np.array([11, 11]), min_distance=0.0)
    assert len(units) == 2


def test_the_lower_class_wins_a_tie():
    units = units_of(squares([0, 10]), np.array([1, 1]), np.array([12, 11]), min_distance=0.0)
    assert units.code.tolist() == [11]


@pytest.mark.parametrize("distance", [1.0, 8.0, 30.0])
@given(seed=st.integers(0, 10**6))
@settings(max_examples=15)
def test_units_are_the_components_of_closeness(distance, seed):
    rng = np.random.default_rng(seed)
    shapes = shapely.buffer(shapely.points(rng.uniform(0, 300, (25, 2))), rng.uniform(2, 12, 25))
    feature = rng.integers(0, 20, 25)
    label = list(range(25))
    for a, b in itertools.combinations(range(25), 2):
        if feature[a] == feature[b] or shapes[a].distance(shapes[b]) < distance:
            label = [label[a] if one == label[b] else one for one in label]
    of = units_of(shapes, feature, np.ones(25, dtype=int), min_distance=distance).of
    for a, b in itertools.combinations(range(25), 2):
        assert (of[a] == of[b]) == (label[a] == label[b])
