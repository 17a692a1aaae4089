import csv
from dataclasses import replace

import numpy as np
import pytest

from fgunet.errors import TrainingError, TrainingStoppedError, WorkerLostError
from fgunet.training.deliverables import write_deliverables
from fgunet.training.loop import Places, train
from fgunet.training.workers import Workers


@pytest.fixture
def run(random_patches, tmp_path):
    def start(plan, name="run", workers=None, patches=None, obey=lambda: None):
        return train(
            plan,
            patches or random_patches(8, 8, 3),
            random_patches(8, 8, 3),
            workers=workers or Workers(),
            places=Places.within(tmp_path / name),
            obey=obey,
        )

    return start


def weights(trained):
    return np.concatenate([w.ravel() for w in trained.model.get_weights()])


def without_times(history):
    return [{k: v for k, v in row.items() if not k.endswith("_s")} for row in history]


def raising(error, after):
    """A function that raises at its call number `after`, and only then."""
    calls = iter(range(1000))

    def obey():
        if next(calls) == after:
            raise error

    return obey


PLAN = {"dropout": 0.3, "epochs": 2, "checkpoint_every": 100}


@pytest.fixture(scope="module")
def whole(make_plan, random_patches, tmp_path_factory):
    """What a training that was never stopped leaves."""
    patches = random_patches(8, 8, 3)
    places = Places.within(tmp_path_factory.mktemp("whole"))
    return train(make_plan(**PLAN), patches, patches, workers=Workers(), places=places)


@pytest.mark.parametrize(
    "stop",
    [
        (TrainingStoppedError("asked to stop"), 0, "asked to stop; 0 of 4 steps are done"),
        (TrainingStoppedError("asked to stop"), 4, "asked to stop; 1 of 4 steps are done"),
        (TrainingStoppedError("asked to stop"), 7, "asked to stop; 2 of 4 steps are done"),
        (WorkerLostError("a worker was lost"), 13, "was lost; 3 of 4 steps are done and saved"),
    ],
    ids=["at once", "in a step", "in a validation", "another worker"],
)
def test_a_stopped_training_goes_on_to_the_same_weights(run, make_plan, whole, stop):
    error, after, message = stop
    with pytest.raises(type(error), match=message):
        run(make_plan(**PLAN), obey=raising(error, after))
    resumed = run(make_plan(**PLAN))
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    assert without_times(resumed.progress.history) == without_times(whole.progress.history)
    assert resumed.progress.best_epoch == whole.progress.best_epoch
    assert resumed.calibration == whole.calibration


def test_stopped_in_the_calibration_it_calibrates_again(run, make_plan, whole):
    calls = []
    run(make_plan(**PLAN), name="counted", obey=lambda: calls.append(None))
    with pytest.raises(TrainingStoppedError, match="4 of 4 steps are done"):
        run(make_plan(**PLAN), obey=raising(TrainingStoppedError("stop"), len(calls) - 1))
    resumed = run(make_plan(**PLAN))
    np.testing.assert_array_equal(weights(resumed), weights(whole))
    assert resumed.calibration == whole.calibration


def test_portions_change_rounding_alone(run, make_plan, whole):
    other = run(make_plan(**PLAN, portion=6))
    np.testing.assert_allclose(weights(other), weights(whole), rtol=1e-3, atol=2e-5)


def test_it_learns_and_leaves_the_best_model(run, make_plan, tmp_path):
    plan = make_plan(epochs=4, patches_per_epoch=120, width=4, dropout=0.0, warmup_epochs=0)
    trained = run(plan)
    kappas = [row["validation_kappa"] for row in trained.progress.history]
    assert trained.progress.best_score == max(kappas) > 0.5
    assert kappas[trained.progress.best_epoch - 1] == max(kappas)
    write_deliverables(tmp_path / "out", trained, plan, workers=Workers(), threads=1)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "history.csv",
        "metadata.json",
        "model.keras",
    ]
    assert len((tmp_path / "out/history.csv").read_text().splitlines()) == 5


def test_bfloat16_learns_too_and_leaves_a_model_in_float32(run, make_plan):
    plan = make_plan(epochs=4, patches_per_epoch=120, width=4, dropout=0.0, warmup_epochs=0)
    trained = run(replace(plan, precision="bfloat16"))
    assert trained.progress.best_score > 0.5
    assert {layer.compute_dtype for layer in trained.model.layers} == {"float32"}


def test_the_history_grows_while_it_trains(run, make_plan, tmp_path):
    plan = make_plan(tensorboard=True)
    lengths = []
    path = tmp_path / "run" / "history.csv"

    def obey():
        lengths.append(len(path.read_text().splitlines()) - 1 if path.exists() else 0)

    run(plan, obey=obey)
    assert sorted(set(lengths)) == [0, 1, 2, 3]  # the temperature is fitted at the end
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert {"validation_f_11", "validation_f_31", "validation_f_222"} <= set(rows[0])
    assert [float(row["learning_rate"]) for row in rows][:1] == [0.01]
    assert all(float(row["patches_per_s"]) > 0 for row in rows)
    assert list((tmp_path / "run" / "tensorboard").glob("events.out.tfevents.*"))


def test_a_model_can_be_chosen_by_another_score(run, make_plan):
    trained = run(make_plan(select_by="quadratic_kappa"))
    rows = trained.progress.history
    best = max(row["validation_quadratic_kappa"] for row in rows)
    assert trained.progress.best_score == best
    assert rows[trained.progress.best_epoch - 1]["validation_quadratic_kappa"] == best


def test_the_batch_must_be_shared_evenly(run, make_plan):
    with pytest.raises(TrainingError, match=r"batch_size \(6\) cannot be shared evenly by 4"):
        run(make_plan(), workers=Workers(size=4))


def test_a_checkpoint_of_another_plan_is_refused(run, make_plan):
    with pytest.raises(TrainingStoppedError):
        run(make_plan(), obey=raising(TrainingStoppedError("stop"), 4))
    with pytest.raises(TrainingError, match=r"another training[\s\S]*width: 2, now 3"):
        run(make_plan(width=3))


class Spoilt:
    """Patches of which one holds a value that is no number."""

    def __init__(self, patches, sample, value):
        self.patches, self.sample, self.value = patches, sample, value

    def batch(self, indices):
        images, labels = self.patches.batch(indices)
        if self.sample in indices:
            images[list(indices).index(self.sample), 0, 0, 0] = self.value
        return images, labels

    def describe(self, index):
        return self.patches.describe(index)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_step_that_is_not_finite_names_its_sample_and_keeps_the_checkpoint(
    run, make_plan, whole, random_patches, value
):
    plan = make_plan(**{**PLAN, "checkpoint_every": 1})
    spoilt = Spoilt(random_patches(8, 8, 3), 15, value)
    with pytest.raises(
        TrainingError, match=r"step 3 \(epoch 2\) has.* 1 of 6 patches .* that of sample 15 \(loss"
    ):
        run(plan, patches=spoilt)
    # What is kept is good: with the patch mended, training ends as if nothing had been.
    np.testing.assert_array_equal(weights(run(plan)), weights(whole))


def test_a_training_without_bounds_is_told(run, make_plan):
    with pytest.raises(TrainingError, match=r"step \d \(epoch \d\) has no finite gradient"):
        run(make_plan(learning_rate=1e30, warmup_epochs=0))
