"""The training against the loop that anyone would write in Keras, from the same first weights."""

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.metrics import cohen_kappa_score

from fgunet.network import build_fgunet
from fgunet.training.loop import Places, train
from fgunet.training.plan import TrainingPlan
from fgunet.training.sources import open_patches
from fgunet.training.workers import Workers

EPOCHS, STEPS, BATCH = 3, 6, 4


def pair(x, filters):
    for _ in range(2):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return x


def plain_network(groups, channels, classes, width):
    """One call of a shared model for each group, as the publication draws it."""
    image = keras.Input((None, None, channels))
    fine = pair(image, width)
    middle = pair(layers.MaxPooling2D()(fine), 2 * width)
    coarse = pair(layers.MaxPooling2D()(middle), 4 * width)
    middle = pair(layers.Concatenate()([layers.UpSampling2D()(coarse), middle]), 2 * width)
    fine = pair(layers.Concatenate()([layers.UpSampling2D()(middle), fine]), width)
    pixel = image
    for filters in (200, 100, 50):
        narrowed = max(1, round(filters * width / 32))
        pixel = layers.Conv2D(narrowed, 1, activation="relu")(pixel)
    shared = keras.Model(image, layers.Concatenate()([pixel, fine]))
    whole = keras.Input((None, None, groups * channels))
    parts = [shared(whole[..., n * channels : (n + 1) * channels]) for n in range(groups)]
    return keras.Model(whole, layers.Conv2D(classes, 1)(layers.Concatenate()(parts)))


def weights_by_shape(model):
    """Weights in the order of the layers' creation: U-Net, pixel-wise path, head."""
    kernels = [layer for layer in every_layer(model) if isinstance(layer, layers.Conv2D)]
    spatial = [layer for layer in kernels if layer.kernel_size == (3, 3)]
    pixel = [layer for layer in kernels if layer.kernel_size == (1, 1)]
    head = [layer for layer in pixel if layer.activation is keras.activations.linear]
    return [*spatial, *(layer for layer in pixel if layer not in head), *head]


def every_layer(model):
    for layer in model.layers:
        yield from every_layer(layer) if isinstance(layer, keras.Model) else (layer,)


def plain_loop(plan, training, validation):
    """Loss and validation kappa of each epoch."""
    keras.utils.set_random_seed(plan.seed)
    ours = build_fgunet(
        n_groups=2, dates_per_group=2, n_bands=2, n_classes=3, width=plan.width, dropout=0.0
    )
    model = plain_network(2, 4, 3, plan.width)
    for mine, other in zip(weights_by_shape(model), weights_by_shape(ours), strict=True):
        mine.set_weights(other.get_weights())
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    model.compile(keras.optimizers.Adam(plan.learning_rate), loss)
    images, reference = validation.batch(range(plan.validation_patches))
    class_weights, curve = np.array([*plan.class_weights, 0.0]), []
    for epoch in range(EPOCHS):
        losses = weight_sum = 0.0
        for step in range(epoch * STEPS, (epoch + 1) * STEPS):
            values, labels = training.batch(range(step * BATCH, (step + 1) * BATCH))
            labels = np.where(labels == 255, 3, labels)
            weights = class_weights[labels]
            share = weights / weights.sum()
            found = model.train_on_batch(values, np.where(labels == 3, 0, labels), share)
            losses, weight_sum = losses + found * weights.sum(), weight_sum + weights.sum()
        known = reference != 255
        predicted = model.predict_on_batch(images).argmax(-1)
        curve.append((losses / weight_sum, cohen_kappa_score(reference[known], predicted[known])))
    return np.array(curve)


@pytest.fixture
def plan(planned):
    return TrainingPlan.from_dict(
        planned(
            width=4,
            dropout=0.0,
            epochs=EPOCHS,
            patches_per_epoch=STEPS * BATCH,
            warmup_epochs=0,
            plateau_patience=EPOCHS,
            learning_rate=0.003,
        )
    )


def test_it_learns_as_a_plain_loop_does(plan, tmp_path):
    training, validation = open_patches(plan)
    trained = train(
        plan, training, validation, workers=Workers(), places=Places.within(tmp_path / "out")
    )
    rows = trained.progress.history
    found = np.array([(row["loss"], row["validation_kappa"]) for row in rows])
    expected = plain_loop(plan, training, validation)
    # Both add up in float32, in other orders; a mistake of method would show in the first digits.
    np.testing.assert_allclose(found[:, 0], expected[:, 0], rtol=1e-4)
    np.testing.assert_allclose(found[:, 1], expected[:, 1], atol=0.01)
    assert found[-1, 0] < found[0, 0]
