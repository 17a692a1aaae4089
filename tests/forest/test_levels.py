import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import RandomForestClassifier
from sklearn.tree import DecisionTreeClassifier

from fgunet.errors import ModelError
from fgunet.forest.levels import to_levels


def test_levels_by_hand() -> None:
    values = np.array([[10], [10], [20], [30], [40], [40], [40], [90]], np.uint16)
    levels, found = to_levels(values, 2)
    # Four pixels lie below 40, so the second half begins there.
    assert levels[:, 0].tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert found.thresholds.tolist() == [35]
    levels, found = to_levels(values, 4)
    # Before 20, 30, 40 and 90 lie 2, 3, 4 and 7 of 8 pixels: quarters 1, 1, 2 and 3.
    assert levels[:, 0].tolist() == [0, 0, 1, 1, 2, 2, 2, 3]
    assert found.thresholds.tolist() == [15, 35, 65]
    levels, found = to_levels(values, 5)
    assert levels[:, 0].tolist() == [0, 0, 1, 2, 3, 3, 3, 4], "each value has its level"
    assert found.thresholds.tolist() == [15, 25, 35, 65]


def test_without_levels_values_stay() -> None:
    values = np.array([[5, 65535], [7, 0]], np.uint16)
    kept, levels = to_levels(values, None)
    assert levels is None
    assert kept.dtype == np.float32
    assert kept.flags.f_contiguous
    np.testing.assert_array_equal(kept, values)


@pytest.mark.parametrize("count", [1, 0, 65537])
def test_number_of_levels_must_make_sense(count: int) -> None:
    with pytest.raises(ModelError, match=f"levels is {count}"):
        to_levels(np.zeros((3, 1), np.uint16), count)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(2, 40),
    top=st.sampled_from([1, 3, 30, 65_535]),
)
def test_trees_on_levels_become_trees_on_values(seed: int, count: int, top: int) -> None:
    random = np.random.default_rng(seed)
    values = random.integers(0, top + 1, (200, 3), dtype=np.uint16)
    values[:, 1] //= 2
    labels = (values[:, 0] > top // 2) + (values[:, 2] > top // 3) * random.integers(0, 2, 200)
    on_levels, levels = to_levels(values, count)
    assert levels is not None
    assert (np.diff(np.unique(on_levels)) == 1).all()
    assert on_levels.max() < count
    tree = DecisionTreeClassifier(random_state=1).fit(on_levels, labels)
    expected = tree.apply(on_levels)
    levels.restore(tree.tree_)
    np.testing.assert_array_equal(tree.apply(values.astype(np.float32)), expected)


def test_levels_hold_about_as_many_pixels_each() -> None:
    random = np.random.default_rng(4)
    values = (random.gamma(2, 800, (20_000, 1))).astype(np.uint16)
    levels, _ = to_levels(values, 64)
    counts = np.bincount(levels[:, 0].astype(int))
    assert len(counts) == 64
    # A level is as full as a 64th of the pixels, but for ties of one value.
    assert np.abs(counts - 20_000 / 64).max() <= np.bincount(values[:, 0]).max()


def test_enough_levels_split_as_all_values_do() -> None:
    random = np.random.default_rng(5)
    values = random.integers(0, 200, (400, 6), dtype=np.uint16)
    labels = (values[:, 0] + values[:, 3] > 190).astype(int)
    forests = []
    for count in (None, 256):
        trained, levels = to_levels(values, count)
        forest = RandomForestClassifier(5, max_depth=4, random_state=3).fit(trained, labels)
        for tree in forest.estimators_:
            if levels is not None:
                levels.restore(tree.tree_)
        forests.append([tree.tree_ for tree in forest.estimators_])
    for one, other in zip(*forests, strict=True):
        np.testing.assert_array_equal(one.children_left, other.children_left)
        np.testing.assert_array_equal(one.feature, other.feature)
        np.testing.assert_array_equal(one.value, other.value)
