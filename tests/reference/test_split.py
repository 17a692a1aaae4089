import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import SplitError
from fgunet.reference.split import TEST, TRAINING, VALIDATION, split_polygons, split_sizes

NAMES = {11: "summer crops", 31: "broad-leaved forest", 211: "grassland"}
CODES = sorted(NAMES)


def run(polygon_id, code, *, feature=None, seed=1, minimum=3, names=None, leave_out=False):
    return split_polygons(
        np.asarray(polygon_id, dtype=np.int64),
        np.asarray(code, dtype=np.int64),
        feature=None if feature is None else np.asarray(feature, dtype=np.int64),
        test_share=0.34,
        validation_share=0.15,
        minimum_polygons=minimum,
        seed=seed,
        names=NAMES if names is None else names,
        leave_out_scarce=leave_out,
    )


@st.composite
def polygons(draw):
    counts = [draw(st.integers(3, 30)) for _ in CODES]
    code = np.repeat(CODES, counts)
    ids = draw(
        st.lists(st.integers(1, 2**32 - 1), unique=True, min_size=len(code), max_size=len(code))
    )
    return np.array(ids), code


def test_sizes_by_hand():
    # 100: 34 test, 15 % of 66 = 9.9; 3: one each; 10: 3.4 and 15 % of 7; 50 halves up: 17, 4.95.
    assert [split_sizes(n, 0.34, 0.15) for n in (3, 4, 10, 50, 100)] == [
        (1, 1),
        (1, 1),
        (3, 1),
        (17, 5),
        (34, 10),
    ]
    assert split_sizes(25, 0.5, 0.5) == (13, 6)


@settings(max_examples=40, deadline=None)
@given(polygons(), st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_shares_hold_and_order_does_not_matter(world, seed, random):
    ids, code = world
    split = run(ids, code, seed=seed)
    for one in CODES:
        n = int((code == one).sum())
        n_test, n_validation = split_sizes(n, 0.34, 0.15)
        found = [int(((code == one) & (split == s)).sum()) for s in (TRAINING, VALIDATION, TEST)]
        assert found == [n - n_test - n_validation, n_validation, n_test]
        assert min(found) >= 1
    order = random.sample(range(len(ids)), len(ids))
    assert run(ids[order], code[order], seed=seed).tolist() == split[order].tolist()


@settings(max_examples=40, deadline=None)
@given(polygons(), st.integers(1, 2**32 - 1), st.sampled_from(CODES))
def test_one_more_polygon_moves_at_most_two_of_its_class(world, extra, extra_code):
    ids, code = world
    if extra in ids:
        return
    before = run(ids, code)
    after = run([*ids, extra], [*code, extra_code])[:-1]
    assert (before != after)[code != extra_code].sum() == 0
    assert (before != after).sum() <= 2
    assert not (np.minimum(before, after) == VALIDATION)[(before == TEST) | (after == TEST)].any()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(1, 4)), min_size=12, max_size=40))
def test_parts_of_a_feature_stay_together(rows):
    feature = np.array([f for f, _ in rows] + list(range(12)))
    code = np.array(CODES)[feature % 3]
    split = run(np.arange(1, len(feature) + 1), code, feature=feature)
    for one in np.unique(feature):
        assert len(np.unique(split[feature == one])) == 1


def test_the_seed_matters_and_repeats():
    ids, code = np.arange(1, 301), np.repeat(CODES, 100)
    assert run(ids, code, seed=1).tolist() == run(ids, code, seed=1).tolist()
    assert run(ids, code, seed=1).tolist() != run(ids, code, seed=2).tolist()


def test_all_scarce_classes_are_named():
    with pytest.raises(SplitError) as caught:
        run([1, 2, 3, 4, 5], [11, 11, 11, 31, 31])
    message = str(caught.value)
    assert "broad-leaved forest (31) has 2, grassland (211) has 0" in message
    assert "summer crops" not in message
    assert "minimum_polygons (3)" in message


def test_a_feature_in_pieces_counts_once():
    with pytest.raises(SplitError, match=r"summer crops \(11\) has 2"):
        run([1, 2, 3], [11, 11, 11], feature=[7, 7, 8], names={11: "summer crops"})


def test_wrong_arguments():
    with pytest.raises(SplitError, match="3 or more"):
        run([1, 2, 3], [11] * 3, minimum=2)
    with pytest.raises(SplitError, match=r"codes \[99\]"):
        run([1, 2, 3], [99] * 3)
    with pytest.raises(SplitError, match="another class"):
        run([1, 2, 3], [11, 31, 31], feature=[1, 1, 2])
    with pytest.raises(SplitError, match="test_share is 1"):
        split_polygons(
            np.array([1]),
            np.array([1]),
            test_share=1,
            validation_share=0.1,
            minimum_polygons=3,
            seed=1,
            names={1: "a"},
        )


def test_scarce_classes_are_left_out_on_request():
    codes = [11] * 5 + [31] * 2
    split = run(range(1, 8), codes, leave_out=True)
    assert (split[5:] == 0).all()
    assert set(split[:5]) == {TRAINING, VALIDATION, TEST}
    assert (split[:5] == run(range(1, 6), codes[:5], names={11: "summer crops"})).all()


def test_something_must_be_left():
    with pytest.raises(SplitError, match="leave_out_scarce"):
        run([1, 2], [11, 31], leave_out=True)
