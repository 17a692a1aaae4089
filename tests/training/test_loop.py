import logging

import numpy as np
import pytest

from fgunet.errors import TrainingError
from fgunet.training.deliverables import write_deliverables
from fgunet.training.loop import train
from fgunet.training.workers import Workers


@pytest.fixture
def run(random_patches, tmp_path):
    def start(plan, stop_at=None, name="run", workers=None):
        patches = random_patches(8, 8, 3, stop_at)
        others = random_patches(8, 8, 3)
        return train(
            plan,
            patches,
            others,
            workers=workers or Workers(),
            checkpoint=tmp_path / name / "state.npz",
        )

    return start


def weights(trained):
    return np.concatenate([w.ravel() for w in trained.model.get_weights()])


def without_times(history):
    return [{k: v for k, v in row.items() if not k.endswith("_s")} for row in history]


def test_a_killed_training_goes_on_to_the_same_weights(run, make_plan, caplog):
    plan = make_plan()
    whole = run(plan, name="whole")
    with pytest.raises(InterruptedError):
        run(plan, stop_at=20)  # in the second epoch
    with caplog.at_level(logging.INFO):
        resumed = run(plan)
    assert "going on after epoch 1 of 3" in caplog.text
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    assert without_times(resumed.progress.history) == without_times(whole.progress.history)
    assert resumed.progress.best_epoch == whole.progress.best_epoch


def test_it_learns_and_leaves_the_best_model(run, make_plan, tmp_path):
    plan = make_plan(epochs=4, patches_per_epoch=120, width=4, dropout=0.0, warmup_epochs=0)
    trained = run(plan)
    kappas = [row["validation_kappa"] for row in trained.progress.history]
    assert trained.progress.best_kappa == max(kappas) > 0.5
    assert kappas[trained.progress.best_epoch - 1] == max(kappas)
    write_deliverables(tmp_path / "out", trained, plan, workers=1)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "history.csv",
        "metadata.json",
        "model.keras",
    ]
    assert len((tmp_path / "out/history.csv").read_text().splitlines()) == 5


def test_the_batch_must_be_shared_evenly(run, make_plan):
    with pytest.raises(TrainingError, match=r"batch_size \(6\) cannot be shared evenly by 4"):
        run(make_plan(), workers=Workers(size=4))


def test_a_loss_without_bounds_is_told(run, make_plan):
    with pytest.raises(TrainingError, match=r"the loss is (nan|inf) in step \d of epoch 1"):
        run(make_plan(learning_rate=1e30, warmup_epochs=0))
