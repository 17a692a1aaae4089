"""The temperature of a network, against what the network says of whole patches."""

import keras
import numpy as np
import pytest
from scipy.special import softmax

from fgunet.calibration import fit_temperature
from fgunet.network import build_fgunet
from fgunet.training import calibration
from fgunet.training.calibration import calibrate
from fgunet.training.workers import Workers

AHEAD = {"depth": 2, "threads": 1}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(4)
    model = build_fgunet(n_groups=2, dates_per_group=2, n_bands=2, n_classes=3, width=2)
    generator = np.random.default_rng(3)
    for weight in model.trainable_variables:  # so that logits lie apart
        weight.assign(weight.numpy() + generator.normal(0, 0.3, weight.shape))
    return model


@pytest.fixture(scope="module")
def patches(network, random_patches):
    """Patches whose labels are drawn from what the network says at a temperature of 2."""

    class Likely(random_patches):
        def batch(self, indices):
            images, labels = super().batch(indices)
            likely = softmax(np.asarray(network(images, training=False)) / 2, axis=-1)
            for index, patch, each in zip(indices, labels, likely, strict=True):
                draws = np.random.default_rng(index).random((*patch.shape, 1))
                drawn = (draws > each.cumsum(axis=-1)[..., :-1]).sum(axis=-1)
                patch[patch != 255] = drawn[patch != 255]
            return images, labels

    return Likely(8, 8, 3)


@pytest.fixture
def found_by(network, make_plan, patches):
    def call(obey=lambda: None, workers=None, **changes):
        workers = workers or Workers()
        return calibrate(network, make_plan(**changes), patches, workers, obey=obey, ahead=AHEAD)

    return call


def test_classes_count_as_much_as_on_the_ground(network, found_by, patches):
    images, labels = patches.batch(range(5))
    shown = labels < 3
    logits = np.asarray(network(images, training=False))[shown].astype(float)
    shares = np.bincount(labels[shown]) / np.array([1000, 2000, 3000])
    weights = 1 / shares[labels[shown]]
    expected = fit_temperature(softmax(logits, axis=1), labels[shown], weights=weights)
    found = found_by()
    assert found.pixels == expected.pixels == shown.sum()
    for name in "temperature", "log_loss_before", "log_loss_after", "calibration_error_after":
        assert getattr(found, name) == pytest.approx(getattr(expected, name), rel=1e-4), name
    unweighted = fit_temperature(softmax(logits, axis=1), labels[shown])
    assert unweighted.temperature != pytest.approx(found.temperature, rel=0.01)


def test_a_known_temperature_is_found_again(found_by, patches, monkeypatch):
    """Where the classes of the patches are mixed as those of the ground."""
    _, labels = patches.batch(range(150))
    monkeypatch.setattr(patches, "labelled", np.bincount(labels.ravel())[:3])
    found = found_by(validation_patches=150)
    assert found.temperature == pytest.approx(2, rel=0.1)  # of some 4,800 pixels
    assert found.calibration_error_after < found.calibration_error_before


@pytest.mark.parametrize("portion", [1, 3, 5])
def test_portions_change_rounding_alone(found_by, portion):
    found, other = found_by(), found_by(portion=portion)
    assert found.temperature == pytest.approx(other.temperature, rel=1e-4)
    assert found.pixels == other.pixels


def test_many_pixels_are_drawn_as_many_of_each_patch(found_by, monkeypatch):
    monkeypatch.setattr(calibration, "MOST_PIXELS", 50)
    found = found_by()
    assert found.pixels == 50
    assert found == found_by()
    assert found != found_by(seed=8)


def test_two_workers_gather_what_one_finds(found_by):
    """Each hands its part over; put together, they are what one worker has."""
    parts = []

    def keep(tensor, name):
        parts.append(tensor)
        return tensor

    for rank in range(2):
        found_by(workers=Workers(rank=rank, size=2, sum=keep))
    together = Workers(sum=lambda tensor, name: parts[0] + parts[1])
    assert found_by(workers=together) == found_by()


def test_it_can_be_stopped(found_by):
    def obey():
        raise InterruptedError("asked to stop")

    with pytest.raises(InterruptedError):
        found_by(obey=obey)


def test_training_labels_give_no_temperature(found_by):
    found = found_by(select_on="training")
    assert (found.temperature, found.pixels) == (None, 0)
    assert "training split" in found.remark
