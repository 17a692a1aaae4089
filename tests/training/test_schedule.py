import numpy as np
import pytest
from sklearn.metrics import accuracy_score, cohen_kappa_score, confusion_matrix

from fgunet.training.schedule import Schedule
from fgunet.training.validation import scores_of


def test_the_rate_rises_linearly_through_the_warm_up(make_plan):
    plan = make_plan(warmup_epochs=2, learning_rate=0.4)
    schedule = Schedule(0.4)
    rates = [schedule.rate_at(plan, epoch, step) for epoch in range(3) for step in range(2)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert Schedule(0.4).rate_at(make_plan(warmup_epochs=0), 0, 0) == 0.4


def test_the_rate_falls_on_plateaus_down_to_its_floor(make_plan):
    plan = make_plan(
        warmup_epochs=1,
        learning_rate=1.0,
        plateau_factor=0.2,
        plateau_patience=2,
        minimum_learning_rate=0.1,
    )
    schedule = Schedule(1.0)
    rates = []
    for epoch, loss in enumerate([1.0, 0.9, 0.9, 0.95, 0.8, 0.8, 0.8, 0.8]):
        schedule.end_epoch(plan, epoch, loss)
        rates.append(schedule.rate)
    assert rates == pytest.approx([1, 1, 1, 0.2, 0.2, 0.2, 0.1, 0.1])
    assert Schedule(**schedule.to_dict()) == schedule


def test_no_reduction_within_the_warm_up(make_plan):
    schedule = Schedule(1.0)
    for epoch in range(3):
        schedule.end_epoch(make_plan(warmup_epochs=3), epoch, 1.0)
    assert schedule.rate == 1.0


def test_scores_against_scikit_learn():
    generator = np.random.default_rng(2)
    reference = generator.integers(4, size=300)
    predicted = np.where(generator.random(300) < 0.6, reference, generator.integers(4, size=300))
    scores = scores_of(3.0, 2.0, confusion_matrix(reference, predicted).astype(float))
    assert scores.loss == 1.5
    assert scores.kappa == pytest.approx(cohen_kappa_score(reference, predicted))
    assert scores.overall_accuracy == pytest.approx(accuracy_score(reference, predicted))


def test_scores_that_are_undefined():
    assert np.isnan(scores_of(0.0, 0.0, np.zeros((2, 2))).kappa)
    assert np.isnan(scores_of(1.0, 1.0, np.diag([3.0, 0.0])).kappa)
