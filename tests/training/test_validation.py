import itertools
import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix, f1_score

from fgunet.training.validation import scores_of


def test_scores_against_scikit_learn():
    generator = np.random.default_rng(2)
    reference = generator.integers(4, size=300)
    predicted = np.where(generator.random(300) < 0.6, reference, generator.integers(4, size=300))
    scores = scores_of([1.0, 2.0], [0.5, 1.5], confusion_matrix(reference, predicted).astype(float))
    assert scores.loss == 1.5
    assert scores.kappa == pytest.approx(cohen_kappa_score(reference, predicted))
    quadratic = cohen_kappa_score(reference, predicted, weights="quadratic")
    assert scores.quadratic_kappa == pytest.approx(quadratic)
    assert scores.overall_accuracy == pytest.approx(accuracy_score(reference, predicted))
    assert scores.f_scores == pytest.approx(f1_score(reference, predicted, average=None))


def test_losses_are_added_exactly_in_any_order():
    losses = [1e16, 1.0, -1e16, 0.25]
    found = {scores_of(order, [1.0], np.eye(2)).loss for order in itertools.permutations(losses)}
    assert found == {1.25}


def test_scores_that_are_undefined():
    nothing = scores_of([0.0], [0.0], np.zeros((2, 2)))
    assert all(math.isnan(v) for v in (nothing.loss, nothing.kappa, nothing.overall_accuracy))
    assert np.isnan(nothing.f_scores).all()
    one_class = scores_of([1.0], [1.0], np.diag([3.0, 0.0]))
    assert math.isnan(one_class.kappa)
    assert one_class.f_scores[0] == 1
    assert math.isnan(one_class.f_scores[1])
