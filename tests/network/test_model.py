import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import pytest

from fgunet.errors import ModelError
from fgunet.network import build_fgunet, partial_network
from fgunet.network.layers import PixelwiseConvolution
from fgunet.training.deliverables import save_model

SMALL = {"n_groups": 3, "dates_per_group": 2, "n_bands": 2, "n_classes": 4, "width": 4}


def image(size, channels=12, seed=0):
    return np.random.default_rng(seed).random((2, size, size, channels), dtype=np.float32)


def test_published_setting_has_the_published_parameters():
    model = build_fgunet(n_groups=11, dates_per_group=3, n_bands=10, n_classes=17)
    parts = {"pixel": 0, "logits": 0, "u_net": 0}
    for layer in model.layers:
        part = layer.name if layer.name == "logits" else layer.name.split("_")[0]
        parts[part if part in parts else "u_net"] += layer.count_params()
    assert parts == {"u_net": 479_296, "pixel": 31_350, "logits": 15_351}
    assert model.count_params() == 525_997
    assert model.input_shape == (None, None, None, 330)
    assert model.output_shape == (None, None, None, 17)


@pytest.mark.parametrize(("width", "expected"), [(16, (100, 50, 25)), (8, (50, 25, 12)), (1, None)])
def test_width_narrows_every_filter(width, expected):
    model = build_fgunet(**{**SMALL, "width": width})
    pixelwise = tuple(model.get_layer(f"pixel_conv{n}").filters for n in (1, 2, 3))
    assert pixelwise == (expected or (6, 3, 2))
    assert [model.get_layer(n).filters for n in ("down1_conv1", "down2_conv1", "bottom_conv2")] == [
        width,
        2 * width,
        4 * width,
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_groups": 0}, "n_groups is 0"),
        ({"n_classes": 1}, "n_classes is 1"),
        ({"width": 0}, "width is 0"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"precision": "float16"}, "precision is 'float16'; it must be one of float32, bfloat16"),
    ],
)
def test_arguments_are_checked(change, message):
    with pytest.raises(ModelError, match=message):
        build_fgunet(**{**SMALL, **change})


def test_groups_share_their_weights_and_do_not_mix_before_the_head():
    # Oracle: the sub-network run on each group's channels by itself, then the head by hand.
    model = build_fgunet(**SMALL)
    paths, bias = partial_network(model)
    assert [path.kernels.shape for path in paths] == [
        (3, path.maps_of.output_shape[-1], 4) for path in paths
    ]
    values = image(8)
    logits = bias + sum(
        path.maps_of.predict_on_batch(values[..., 4 * g : 4 * g + 4]) @ path.kernels[g]
        for g in range(3)
        for path in paths
    )
    np.testing.assert_allclose(model.predict_on_batch(values), logits, atol=1e-5)


def test_partial_network_of_another_model():
    inputs = keras.Input((None, None, 2))
    other = keras.Model(inputs, keras.layers.Conv2D(2, 1)(inputs))
    with pytest.raises(ModelError, match="not an FG-UNET"):
        partial_network(other)


def test_a_saved_model_loads_without_further_code_and_has_the_same_bytes(tmp_path):
    model = build_fgunet(**SMALL)
    again = build_fgunet(**SMALL)  # its objects lie elsewhere in memory
    again.set_weights(model.get_weights())
    save_model(model, tmp_path / "one.keras")
    save_model(again, tmp_path / "two.keras")
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "two.keras").read_bytes()
    loaded = keras.models.load_model(tmp_path / "one.keras")
    values = image(8)
    np.testing.assert_array_equal(loaded.predict_on_batch(values), model.predict_on_batch(values))


def test_dropout_acts_in_training_alone():
    model = build_fgunet(**SMALL)
    values = image(8)
    still = np.array(model(values, training=False))
    np.testing.assert_array_equal(still, np.array(model(values, training=False)))
    assert not np.array_equal(still, np.array(model(values, training=True)))


def test_bfloat16_computes_the_same_to_its_eight_bits():
    full, half = build_fgunet(**SMALL), build_fgunet(**SMALL, precision="bfloat16")
    half.set_weights(full.get_weights())
    assert {weight.dtype for weight in half.weights} == {"float32"}
    values = image(8)
    one, other = full.predict_on_batch(values), half.predict_on_batch(values)
    assert other.dtype == np.float32
    assert 0 < np.abs(one - other).max() < 0.02 * np.abs(one).max()


def test_pixelwise_convolutions_give_the_same_in_training_and_after():
    # In training they are products of matrices, else convolutions.
    inputs = keras.Input((None, None, 5))
    layer = PixelwiseConvolution(7, activation="relu")
    model = keras.Model(inputs, layer(inputs))
    layer.bias.assign(np.linspace(-0.5, 0.5, 7))
    values = image(8, channels=5)
    one, other = (np.array(model(values, training=training)) for training in (True, False))
    np.testing.assert_allclose(one, other, atol=1e-6)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(one, np.maximum(values @ kernel[0, 0] + bias, 0), atol=1e-6)
    assert keras.models.clone_model(model).count_params() == 5 * 7 + 7
