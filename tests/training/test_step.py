import keras
import numpy as np
import pytest

from fgunet.network import build_fgunet
from fgunet.training.step import Step
from fgunet.training.workers import Workers


def small_model(dropout=0.0):
    keras.utils.set_random_seed(3)
    return build_fgunet(
        n_groups=2, dates_per_group=1, n_bands=2, n_classes=3, width=2, dropout=dropout
    )


def step_of(model, optimizer=None, weights=(1, 1, 1), portion=2):
    return Step(model, optimizer, weights, Workers(), portion=portion, seed=5)


def stepped(learn):
    model = small_model()
    optimizer = keras.optimizers.SGD(0.5)
    optimizer.build(model.trainable_variables)
    learn(model, optimizer)
    return model.get_weights()


def batch(random_patches):
    return random_patches(8, 4, 3).batch(range(6))


def test_a_step_is_that_of_keras_itself(random_patches):
    # Oracle: Keras's own loss, masked and averaged over the labelled weight of the whole batch.
    images, labels = batch(random_patches)
    weights = np.array([0.5, 1.0, 1.5], np.float32)

    def ours(model, optimizer):
        step_of(model, optimizer, weights).learn(images, labels, first_sample=0)

    def theirs(model, optimizer):
        known = labels != 255
        share = np.where(known, weights[np.where(known, labels, 0)], 0)
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(True, reduction="sum"))
        sample_weight = (share / share.sum()).astype(np.float32)
        model.train_on_batch(images, np.where(known, labels, 0), sample_weight)

    for mine, other in zip(stepped(ours), stepped(theirs), strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-6)


@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_the_share_of_two_workers_adds_up(random_patches, dropout):
    images, labels = batch(random_patches)
    alone = step_of(small_model(dropout))
    whole, losses = alone._gradient(images, labels, 20)
    first, second = (alone._gradient(images[p], labels[p], 20 + p.start) for p in HALVES)
    np.testing.assert_allclose(whole, first[0] + second[0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(losses, np.hstack([first[1], second[1]]), rtol=1e-5)


HALVES = slice(0, 4), slice(4, 6)


def test_what_a_step_tells(random_patches):
    images, labels = batch(random_patches)
    model = small_model()
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    step = step_of(model, optimizer, [1, 2, 3], portion=4)
    losses, weights, _ = step.judge(images, labels)
    learned = step.learn(images, labels, first_sample=0, cpu_s=1.5)
    np.testing.assert_allclose(learned.losses, losses, rtol=1e-5)
    np.testing.assert_array_equal(learned.weights, weights)
    by_hand = np.array([1, 2, 3, 0])[np.where(labels == 255, 3, labels)].sum(axis=(1, 2))
    np.testing.assert_array_equal(weights, by_hand)
    assert learned.cpu_s == 1.5
    assert learned.applied


def test_a_step_that_is_not_finite_changes_nothing(random_patches):
    images, labels = batch(random_patches)
    images[4, 2, 2] = np.inf
    model = small_model()
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build(model.trainable_variables)
    before = model.get_weights()
    learned = step_of(model, optimizer).learn(images, labels, first_sample=0)
    assert not learned.applied
    assert np.flatnonzero(~np.isfinite(learned.losses)).tolist() == [4]
    for mine, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_confusion_counts_labelled_pixels(random_patches):
    images, labels = batch(random_patches)
    model = small_model()
    _, _, confusion = step_of(model).judge(images, labels)
    predicted = model.predict_on_batch(images).argmax(-1)
    expected = np.zeros((3, 3))
    np.add.at(expected, (labels[labels != 255], predicted[labels != 255]), 1)
    np.testing.assert_array_equal(confusion, expected)
