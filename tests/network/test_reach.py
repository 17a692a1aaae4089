import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import pytest

from fgunet.errors import ModelError
from fgunet.network import build_fgunet, required_halo, required_stride


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    model = build_fgunet(n_groups=1, dates_per_group=1, n_bands=1, n_classes=2, width=2)
    # Positive weights: no ReLU hides an influence.
    model.set_weights([np.abs(w) / max(1, w[..., 0].size) + 0.01 for w in model.get_weights()])
    return model


def test_halo_and_stride_of_the_network(model):
    assert required_halo(model) == 24
    assert required_stride(model) == 4


def test_an_input_pixel_reaches_23_pixels_at_most_and_does_reach_them(model):
    size, middle = 72, 36
    reached = []
    phases = [(dy, dx) for dy in range(4) for dx in range(4)]
    images = np.zeros((17, size, size, 1), dtype=np.float32)
    for number, (dy, dx) in enumerate(phases):
        images[number, middle + dy, middle + dx] = 100.0
    outputs = model.predict_on_batch(images)
    for number, (dy, dx) in enumerate(phases):
        rows, cols = np.nonzero(np.any(outputs[number] != outputs[16], axis=-1))
        reached += [np.abs(rows - middle - dy).max(), np.abs(cols - middle - dx).max()]
    assert max(reached) == 23


def test_a_window_with_its_halo_gives_the_whole_image(model):
    whole_image = np.random.default_rng(0).random((1, 96, 96, 1), dtype=np.float32)
    halo, stride = required_halo(model), required_stride(model)
    whole = model.predict_on_batch(whole_image)
    window = slice(32, 32 + 8 * stride)
    grown = slice(window.start - halo, window.stop + halo)
    part = model.predict_on_batch(whole_image[:, grown, grown])[:, halo:-halo, halo:-halo]
    np.testing.assert_allclose(part, whole[:, window, window], rtol=1e-6)


def test_reach_follows_the_layers():
    inputs = keras.Input((None, None, 1))
    wide = keras.layers.Conv2D(1, 5, padding="same")(inputs)
    dilated = keras.layers.Conv2D(1, 3, padding="same", dilation_rate=3)(wide)
    model = keras.Model(inputs, dilated)
    assert (required_halo(model), required_stride(model)) == (5, 1)


@pytest.mark.parametrize(
    "layer",
    [
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Conv2D(1, 3, padding="valid"),
        keras.layers.Conv2D(1, (1, 3), padding="same"),
    ],
)
def test_an_unknown_reach_is_refused(layer):
    inputs = keras.Input((None, None, 1))
    with pytest.raises(ModelError):
        required_halo(keras.Model(inputs, layer(inputs)))
