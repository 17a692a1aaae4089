import pytest

from fgunet.training.schedule import Schedule


def test_the_rate_rises_linearly_through_the_warm_up(make_plan):
    plan = make_plan(warmup_epochs=2, learning_rate=0.4)
    schedule = Schedule(0.4)
    rates = [schedule.rate_at(plan, step) for step in range(6)]
    assert rates == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert Schedule(0.4).rate_at(make_plan(warmup_epochs=0), 0) == 0.4


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
