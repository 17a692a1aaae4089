"""Votes against scikit-learn's own, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from fgunet.forest.traversal import count_votes, pack_trees

NODATA = 65535


def votes_of(forest, pixels: NDArray[np.uint16], **options: int) -> NDArray[np.float64]:
    trees = pack_trees([tree.tree_ for tree in forest.estimators_])
    options = {"nodata": NODATA, **options}
    return count_votes(trees, pixels.T, len(forest.classes_), **options).T


FORESTS = st.builds(
    lambda kind, trees, depth, seed: kind(trees, max_depth=depth, random_state=seed),
    st.sampled_from([RandomForestClassifier, ExtraTreesClassifier]),
    st.integers(1, 12),
    st.integers(1, 30),
    st.integers(0, 1000),
)


@settings(max_examples=60)
@given(
    forest=FORESTS,
    shape=st.tuples(st.integers(1, 400), st.integers(1, 7)),
    classes=st.integers(2, 6),
    top=st.sampled_from([1, 2, 50, 10_000, 65_534]),
    seed=st.integers(0, 2**32 - 1),
)
def test_votes_are_those_of_scikit_learn(
    forest, shape: tuple[int, int], classes: int, top: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    known = random.integers(0, top + 1, (120, shape[1]), dtype=np.uint16)
    forest.fit(known, random.integers(0, classes, 120))
    asked = random.integers(0, top + 1, shape, dtype=np.uint16)
    # Pixels at the thresholds themselves, where rounding would show.
    for row, tree in zip(asked, forest.estimators_, strict=False):
        channel, threshold = tree.tree_.feature[0], tree.tree_.threshold[0]
        if channel >= 0:
            row[channel] = int(np.floor(threshold))
    found = votes_of(forest, asked)
    np.testing.assert_array_equal(found, forest.predict_proba(asked))
    np.testing.assert_array_equal(forest.classes_[found.argmax(axis=1)], forest.predict(asked))


@pytest.fixture(scope="module")
def forest() -> RandomForestClassifier:
    random = np.random.default_rng(8)
    known = random.integers(0, 9000, (3000, 20), dtype=np.uint16)
    labels = (known[:, 3] // 1500 + known[:, 7] // 4000) % 7
    return RandomForestClassifier(30, max_depth=25, random_state=4).fit(known, labels)


def test_more_pixels_than_a_block_and_a_batch_by_any_number_of_threads(forest) -> None:
    random = np.random.default_rng(9)
    asked = random.integers(0, 9000, (70_003, 20), dtype=np.uint16)
    found = votes_of(forest, asked)
    np.testing.assert_array_equal(found, forest.predict_proba(asked))
    for threads in (2, 5):
        np.testing.assert_array_equal(votes_of(forest, asked, threads=threads), found)


def test_pixels_without_data_get_no_votes_and_change_no_others(forest) -> None:
    random = np.random.default_rng(10)
    asked = random.integers(0, 9000, (5000, 20), dtype=np.uint16)
    holes = random.random(5000) < 0.3
    asked[holes, random.integers(0, 20, holes.sum())] = NODATA
    found = votes_of(forest, asked)
    assert (found[holes] == 0).all()
    np.testing.assert_array_equal(found[~holes], forest.predict_proba(asked[~holes]))
    assert (votes_of(forest, asked[holes]) == 0).all()
    assert votes_of(forest, asked[:0]).shape == (0, 7)


def test_greatest_value_is_a_value_where_nothing_means_nodata(forest) -> None:
    asked = np.full((3, 20), NODATA, np.uint16)
    np.testing.assert_array_equal(votes_of(forest, asked, nodata=-1), forest.predict_proba(asked))


def test_shares_weighed_by_class(forest) -> None:
    random = np.random.default_rng(11)
    known = random.integers(0, 9000, (300, 5), dtype=np.uint16)
    labels = random.integers(0, 3, 300)
    weighed = RandomForestClassifier(
        9, max_depth=3, min_samples_leaf=7, class_weight="balanced", random_state=1
    ).fit(known, labels)
    np.testing.assert_array_equal(votes_of(weighed, known), weighed.predict_proba(known))


def test_forest_of_a_single_leaf() -> None:
    forest = RandomForestClassifier(3, min_samples_leaf=50, random_state=1)
    forest.fit(np.zeros((40, 2), np.uint16), np.repeat([4, 9], 20))
    assert [tree.tree_.node_count for tree in forest.estimators_] == [1, 1, 1]
    asked = np.array([[0, 1], [65534, 3]], np.uint16)
    np.testing.assert_array_equal(votes_of(forest, asked), forest.predict_proba(asked))
