import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import (
    accuracy_score,
    cohen_kappa_score,
    f1_score,
    precision_score,
    recall_score,
)

from fgunet.accuracy import scores

EXACT = {"rtol": 0, "atol": 1e-12}
MATRICES = st.integers(2, 5).flatmap(lambda n: arrays(np.int64, (n, n), elements=st.integers(0, 9)))
LARGE = st.integers(1, 6).flatmap(
    lambda n: arrays(np.int64, (n, n), elements=st.just(0) | st.integers(0, 10**9))
)


def _pixels(confusion):
    rows, columns = np.indices(confusion.shape)
    return np.repeat(rows.ravel(), confusion.ravel()), np.repeat(columns.ravel(), confusion.ravel())


def test_known_kappa():
    # Cohen's textbook table: p_o = 0.7, p_e = 0.5.
    confusion = np.array([[20, 5], [10, 15]])
    assert scores.kappa(confusion) == pytest.approx(0.4)
    assert scores.overall_accuracy(confusion) == pytest.approx(0.7)


def test_known_class_scores():
    confusion = np.array([[8, 2, 0], [4, 6, 0], [0, 0, 0]])
    np.testing.assert_allclose(scores.producers_accuracy(confusion), [0.8, 0.6, np.nan])
    np.testing.assert_allclose(scores.users_accuracy(confusion), [8 / 12, 6 / 8, np.nan])
    np.testing.assert_allclose(scores.f_scores(confusion), [16 / 22, 12 / 18, np.nan])
    assert scores.macro_f(confusion) == pytest.approx((16 / 22 + 12 / 18) / 2)


def test_known_disagreement():
    # Rows 12 and 8, columns 10 and 10: 2 of 20 in excess; 6 wrong in all, so 4 swapped.
    confusion = np.array([[8, 4], [2, 6]])
    assert scores.quantity_disagreement(confusion) == pytest.approx(0.1)
    assert scores.allocation_disagreement(confusion) == pytest.approx(0.2)


def test_group_scores_mean_and_pooled():
    confusion = np.array([[6, 2, 2], [0, 10, 0], [3, 1, 6]])
    f = scores.f_scores(confusion)
    assert scores.group_f(confusion, [0, 2]) == pytest.approx((f[0] + f[2]) / 2)
    # TP 12, reference 20, mapped 17.
    assert scores.group_micro_f(confusion, [0, 2]) == pytest.approx(24 / 37)


def test_undefined_is_nan_and_never_zero():
    nothing = np.zeros((3, 3), dtype=np.int64)
    for value in scores.map_scores(nothing, [0]).values():
        assert np.isnan(value)
    one_class = np.diag([5, 0, 0])
    assert np.isnan(scores.kappa(one_class))
    assert scores.overall_accuracy(one_class) == 1
    absent = np.array([[5, 5], [0, 0]])
    assert np.isnan(scores.f_scores(absent)[1])
    assert np.isnan(scores.group_f(absent, [1]))
    assert np.isnan(scores.group_micro_f(absent, [1]))
    never_mapped = np.array([[5, 0], [5, 0]])
    assert scores.f_scores(never_mapped)[1] == 0
    assert np.isnan(scores.users_accuracy(never_mapped)[1])
    assert scores.kappa(never_mapped) == 0
    assert scores.quantity_disagreement(never_mapped) == 0.5
    assert scores.allocation_disagreement(never_mapped) == 0
    assert scores.defined(np.nan) is None


def test_a_map_of_one_class_is_right_and_no_more():
    only = np.array([[7]])
    assert np.isnan(scores.kappa(only))
    for name in ("overall_accuracy", "macro_f", "weighted_f"):
        assert scores.map_scores(only)[name] == 1
    for value in scores.class_scores(only).values():
        assert value.tolist() == [1]


def test_without_a_group_its_scores_are_left_out():
    assert not any("group" in name for name in scores.map_scores(np.eye(2)))


@given(MATRICES)
@settings(max_examples=150)
def test_agrees_with_scikit_learn(confusion):
    reference, mapped = _pixels(confusion)
    known = np.flatnonzero(confusion.sum(axis=1))
    if not known.size:
        return
    every = {"labels": np.arange(len(confusion)), "average": None, "zero_division": np.nan}
    group = np.intersect1d(known, [0, 1])
    with warnings.catch_warnings(action="ignore"):  # it warns where kappa is undefined
        agreement = cohen_kappa_score(reference, mapped)
    oracle = {
        "kappa": agreement,
        "overall_accuracy": accuracy_score(reference, mapped),
        "macro_f": f1_score(reference, mapped, labels=known, average="macro", zero_division=0),
        "weighted_f": f1_score(
            reference, mapped, labels=known, average="weighted", zero_division=0
        ),
        "producers_accuracy": recall_score(reference, mapped, **every),
        "users_accuracy": precision_score(reference, mapped, **every),
    }
    if group.size:
        oracle["group_f"] = f1_score(
            reference, mapped, labels=group, average="macro", zero_division=0
        )
        oracle["group_micro_f"] = f1_score(
            reference, mapped, labels=[0, 1], average="micro", zero_division=0
        )
    ours = {**scores.map_scores(confusion, [0, 1]), **scores.class_scores(confusion)}
    for name, value in oracle.items():
        np.testing.assert_allclose(ours[name], value, **EXACT, err_msg=name)
    by_class = f1_score(reference, mapped, **{**every, "zero_division": 0})
    np.testing.assert_allclose(ours["f_score"][known], by_class[known], **EXACT)
    assert np.isnan(np.delete(ours["f_score"], known)).all()


def _by_equations(confusion):
    """Exact kappa, and the disagreements by equations 2 to 7 of Pontius and Millones (2011)."""
    total = int(confusion.sum())
    n = len(confusion)
    # Their rows are the map: p[i][j] is the share mapped as i whose reference is j.
    p = [[Fraction(int(confusion[j, i]), total) for j in range(n)] for i in range(n)]
    mapped = [sum(p[g][j] for j in range(n)) for g in range(n)]
    reference = [sum(p[i][g] for i in range(n)) for g in range(n)]
    quantity = sum(abs(reference[g] - mapped[g]) for g in range(n)) / 2
    allocation = sum(
        2 * min(reference[g] - p[g][g], mapped[g] - p[g][g]) for g in range(n)
    ) / Fraction(2)
    right = sum(p[g][g] for g in range(n))
    assert quantity + allocation == 1 - right
    chance = sum(reference[g] * mapped[g] for g in range(n))
    kappa = np.nan if chance == 1 else float((right - chance) / (1 - chance))
    return kappa, float(quantity), float(allocation)


@given(LARGE)
@settings(max_examples=150)
def test_agrees_with_the_equations_in_fractions(confusion):
    if not confusion.any():
        return
    ours = [scores.kappa, scores.quantity_disagreement, scores.allocation_disagreement]
    for score, expected in zip(ours, _by_equations(confusion), strict=True):
        np.testing.assert_allclose(score(confusion), expected, **EXACT)


@given(st.integers(1, 10**12))
def test_kappa_of_one_class_is_undefined_at_any_size(pixels):
    assert np.isnan(scores.kappa(np.array([[0, 0], [0, pixels]])))


@given(MATRICES, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_bounds_and_the_order_of_classes(confusion, random):
    order = list(range(len(confusion)))
    random.shuffle(order)
    shuffled = confusion[np.ix_(order, order)]
    ours, theirs = scores.map_scores(confusion), scores.map_scores(shuffled)
    for name, value in ours.items():
        np.testing.assert_allclose(theirs[name], value, rtol=1e-9, err_msg=name)
        if not np.isnan(value):
            assert (-1 if name == "kappa" else 0) <= value <= 1
    if confusion.sum():
        wrong = ours["quantity_disagreement"] + ours["allocation_disagreement"]
        assert wrong == pytest.approx(1 - ours["overall_accuracy"])


@given(st.lists(arrays(np.int64, (3, 3), elements=st.integers(0, 9)), min_size=1, max_size=4))
@settings(max_examples=30)
def test_a_stack_is_scored_like_its_matrices(matrices):
    stack = {
        **scores.map_scores(np.stack(matrices), [1, 2]),
        **scores.class_scores(np.stack(matrices)),
    }
    for place, matrix in enumerate(matrices):
        single = {**scores.map_scores(matrix, [1, 2]), **scores.class_scores(matrix)}
        for name, value in single.items():
            np.testing.assert_allclose(stack[name][place], value, err_msg=name)
