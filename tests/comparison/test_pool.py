import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.comparison.pool import choose_pool, in_budget, learning_split
from fgunet.errors import ComparisonError


def layer_of(codes, features=None):
    numbers = np.arange(1, len(codes) + 1)
    features = numbers if features is None else features
    return pd.DataFrame({"polygon_id": numbers, "feature": features, "code": codes})


def counts_of(usable, pixels=None):
    pixels = np.ones(len(usable), int) * 9 if pixels is None else pixels
    numbers = np.arange(1, len(usable) + 1)
    return pd.DataFrame({"polygon_id": numbers, "pixels": pixels, "usable": usable})


CLASSES = st.lists(st.sampled_from([11, 31, 222]), min_size=4, max_size=60).filter(
    lambda codes: len(set(codes)) > 1
)


@given(codes=CLASSES, seed=st.integers(0, 2**32 - 1), data=st.data())
def test_budgets_are_nested_shares_of_each_class(codes, seed, data):
    pool = choose_pool(
        layer_of(codes), counts_of(np.ones(len(codes), int)), equal_labels=True, seed=seed
    )
    small, large = sorted(data.draw(st.tuples(*[st.floats(1e-6, 1)] * 2)))
    held, more = in_budget(pool, small), in_budget(pool, large)
    assert not (held & ~more).any()
    for code in set(codes):
        n = codes.count(code)
        shares = np.arange(1, n + 1) / n
        of_class = (pool["code"] == code).to_numpy()
        assert sorted(pool.loc[of_class, "enters"]) == shares.tolist()
        assert held[of_class].sum() == max(1, (shares <= small).sum())
    assert in_budget(pool, 1.0).all()


@given(codes=CLASSES, seed=st.integers(0, 99), order=st.randoms(use_true_random=False))
def test_the_order_of_the_layer_does_not_matter(codes, seed, order):
    layer, counts = layer_of(codes), counts_of(np.ones(len(codes), int))
    rows = list(range(len(codes)))
    order.shuffle(rows)
    one, other = (
        choose_pool(each, counts, equal_labels=True, seed=seed)
        for each in (layer, layer.iloc[rows])
    )
    pd.testing.assert_frame_equal(one, other)


def test_another_seed_is_another_order():
    codes = [11] * 50 + [31] * 50
    orders = [
        choose_pool(layer_of(codes), counts_of([1] * 100), equal_labels=True, seed=seed)["enters"]
        for seed in (1, 2)
    ]
    assert not orders[0].equals(orders[1])


def test_polygons_of_a_feature_enter_together():
    features = np.repeat(np.arange(20), 3)
    pool = choose_pool(
        layer_of([11] * 57 + [31] * 3, features), counts_of([1] * 60), equal_labels=True, seed=1
    )
    ranks = np.rint(pool["enters"][:57] * 57).astype(int).to_numpy().reshape(19, 3)
    assert (np.diff(np.sort(ranks), axis=1) == 1).all()


def test_only_usable_polygons_are_in_the_pool(caplog):
    codes = [11, 11, 11, 31, 31, 53]
    counts = counts_of([4, 0, 2, 1, 9, 0]).iloc[[0, 1, 2, 3, 4]]  # the last has no pixel
    with caplog.at_level(logging.INFO):
        pool = choose_pool(layer_of(codes), counts, equal_labels=True, seed=1)
    assert pool["enters"].isna().tolist() == [False, True, False, False, False, True]
    assert sorted(pool["enters"].dropna()) == [0.5, 0.5, 1, 1]
    assert pool["pixels"].tolist() == [9, 9, 9, 9, 9, 0]
    assert pool.dtypes.astype(str).tolist() == ["uint32", "uint8", "int64", "int64", "float64"]
    told = [record.getMessage() for record in caplog.records]
    assert told[0].startswith("class 11: 2 of 3 training polygons may be learned from; left out")
    assert caplog.records[2].levelname == "WARNING"
    assert "class 53: 0 of 1" in told[2]
    assert "1 without a pixel" in told[2]
    every = choose_pool(layer_of(codes), counts, equal_labels=False, seed=1)
    assert every["enters"].isna().tolist() == [False] * 5 + [True]


def test_one_class_is_nothing_to_learn():
    with pytest.raises(ComparisonError, match=r"classes \[11\]; .* comparison.equal_labels"):
        choose_pool(layer_of([11, 31]), counts_of([3, 0]), equal_labels=True, seed=1)


def test_one_class_with_pixels_is_nothing_to_learn_either():
    counts = counts_of([3, 0], pixels=[3, 0])
    with pytest.raises(ComparisonError, match=r"that hold a pixel are .*audit.json"):
        choose_pool(layer_of([11, 31]), counts, equal_labels=False, seed=1)


def test_pixels_of_a_strange_polygon_are_refused():
    with pytest.raises(ComparisonError, match=r"1 polygons with training pixels .* first 3"):
        choose_pool(layer_of([11, 31]), counts_of([3, 1, 1]), equal_labels=True, seed=1)


@given(seed=st.integers(0, 99), pool=st.sets(st.integers(1, 12)))
def test_only_training_outside_of_the_pool_is_taken_out(seed, pool):
    generator = np.random.default_rng(seed)
    split = generator.integers(0, 4, (7, 9)).astype(np.uint8)
    polygon = generator.integers(0, 13, (7, 9)).astype(np.uint32)
    before = split.copy()
    learned = learning_split(split, polygon, np.array(sorted(pool), np.uint32))
    for place in np.ndindex(split.shape):
        taken = split[place] == 1 and polygon[place] not in pool
        assert learned[place] == (0 if taken else split[place])
    assert learned.dtype == np.uint8
    np.testing.assert_array_equal(split, before)
