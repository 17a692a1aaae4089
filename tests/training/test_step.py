import keras
import numpy as np

from fgunet.network import build_fgunet
from fgunet.training.step import Step, seed_dropout
from fgunet.training.workers import Workers


def small_model(dropout=0.0):
    keras.utils.set_random_seed(3)
    return build_fgunet(
        n_groups=2, dates_per_group=1, n_bands=2, n_classes=3, width=2, dropout=dropout
    )


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
        Step(model, optimizer, weights, Workers()).train(images, labels)

    def theirs(model, optimizer):
        known = labels != 255
        share = np.where(known, weights[np.where(known, labels, 0)], 0)
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(True, reduction="sum"))
        sample_weight = (share / share.sum()).astype(np.float32)
        model.train_on_batch(images, np.where(known, labels, 0), sample_weight)

    for mine, other in zip(stepped(ours), stepped(theirs), strict=True):
        np.testing.assert_allclose(mine, other, atol=2e-6)


def test_the_share_of_two_workers_adds_up(random_patches):
    images, labels = batch(random_patches)
    alone = Step(small_model(), None, [1, 1, 1], Workers())
    whole = alone._gradient(images, labels)
    parts = alone._gradient(images[:4], labels[:4]) + alone._gradient(images[4:], labels[4:])
    np.testing.assert_allclose(whole, parts, rtol=1e-4, atol=1e-4)


def test_confusion_counts_labelled_pixels(random_patches):
    images, labels = batch(random_patches)
    model = small_model()
    _, _, confusion = Step(model, None, [1, 1, 1], Workers()).evaluate(images, labels)
    predicted = model.predict_on_batch(images).argmax(-1)
    expected = np.zeros((3, 3))
    np.add.at(expected, (labels[labels != 255], predicted[labels != 255]), 1)
    np.testing.assert_array_equal(confusion, expected)


def test_dropout_depends_on_seed_epoch_and_worker_alone(random_patches):
    images, _ = batch(random_patches)
    model = small_model(0.5)

    def output(*key):
        seed_dropout(model, *key)
        return np.array(model(images, training=True)).tobytes()

    assert output(1, 0, 0) == output(1, 0, 0)
    assert len({output(1, 0, 0), output(2, 0, 0), output(1, 1, 0), output(1, 0, 1)}) == 4
