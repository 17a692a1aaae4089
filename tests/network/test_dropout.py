import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy import stats

from fgunet.network import CounterDropout, build_fgunet, noise_layers, set_noise


def compiled(function):
    return tf.function(function, jit_compile=True)


def mixed(number):
    """The hash in whole numbers of Python: an oracle for that of tensors."""
    number = ((number ^ (number >> 16)) * 0x7FEB352D) % 2**32
    number = ((number ^ (number >> 15)) * 0x846CA68B) % 2**32
    return number ^ (number >> 16)


def kept(key, image, place, rate):
    one = mixed(image ^ key)
    other = mixed((image * 0x9E3779B9 + key) % 2**32)
    return mixed(mixed((place + one) % 2**32) ^ other) >= round(rate * 2**32)


@pytest.mark.parametrize("fast", [False, True])
def test_each_value_follows_its_key_image_and_place(fast):
    layer = CounterDropout(0.3)
    if fast:
        layer.compile_with(compiled)
    layer.set_noise(2**32 - 5, 2**32 - 1)  # the number of the second image wraps to 0
    out = np.array(layer(np.ones((2, 2, 3, 2), np.float32), training=True)).reshape(2, 12)
    expected = [
        [kept(2**32 - 5, image, place, 0.3) for place in range(12)] for image in (2**32 - 1, 0)
    ]
    np.testing.assert_allclose(out, np.where(expected, np.float32(1 / 0.7), 0), rtol=1e-6)


def noise(key, first, rate=0.2, shape=(4, 32, 32, 16)):
    layer = CounterDropout(rate)
    layer.set_noise(key, first)
    return np.array(layer(np.ones(shape, np.float32), training=True)) > 0


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_the_share_dropped_is_the_rate(rate):
    dropped = [int((~noise(key, 0, rate)).sum()) for key in range(8)]
    n = 4 * 32 * 32 * 16
    # Each is binomial: squares of the normal deviates follow chi-square.
    deviates = (np.array(dropped) - n * rate) / np.sqrt(n * rate * (1 - rate))
    assert 0.001 < stats.chi2.sf((deviates**2).sum(), len(deviates)) < 0.999


def test_neighbours_images_and_keys_are_independent():
    base = noise(7, 0)
    pairs = {
        "next column": (base[:, :, 1:], base[:, :, :-1]),
        "next row": (base[:, 1:], base[:, :-1]),
        "next map": (base[..., 1:], base[..., :-1]),
        "next image": (base[1:], base[:-1]),
        "other key": (base, noise(8, 0)),
        "far image": (base, noise(7, 2**20)),
    }
    for name, (one, other) in pairs.items():
        table = np.histogram2d(one.ravel(), other.ravel(), bins=2)[0]
        assert stats.chi2_contingency(table).pvalue > 1e-4, name


def test_the_gradient_passes_what_was_kept():
    layer = CounterDropout(0.4)
    layer.set_noise(3, 5)
    values = tf.constant(np.random.default_rng(0).random((1, 4, 4, 3)), tf.float32)
    for fast in (False, True):
        if fast:
            layer.compile_with(compiled)
        with tf.GradientTape() as tape:
            tape.watch(values)
            out = layer(values, training=True)
        expected = np.where(np.array(out) > 0, np.float32(1 / 0.6), 0)
        np.testing.assert_allclose(np.array(tape.gradient(out, values)), expected, rtol=1e-6)


def test_noise_of_a_sample_does_not_depend_on_those_beside_it():
    model = build_fgunet(
        n_groups=3, dates_per_group=1, n_bands=2, n_classes=2, width=2, dropout=0.5
    )
    images = np.random.default_rng(0).random((4, 8, 8, 6), dtype=np.float32)

    def outputs(first, count):
        set_noise(model, 11, first)
        return np.array(model(images[first : first + count], training=True))

    whole = outputs(0, 4)
    parts = np.concatenate([outputs(0, 1), outputs(1, 3)])
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    set_noise(model, 12, 0)
    assert not np.allclose(np.array(model(images, training=True)), whole)


def test_layers_have_noise_of_their_own_and_none_is_a_weight():
    model = build_fgunet(n_groups=1, dates_per_group=1, n_bands=1, n_classes=2, width=2)
    set_noise(model, 1, 0)
    states = {tuple(np.array(layer.seed_generator.state)) for layer in noise_layers(model)}
    assert len(states) == len(noise_layers(model)) == 7
    assert model.count_params() == sum(w.size for w in model.get_weights())


def test_nothing_is_dropped_outside_of_training_or_at_rate_0():
    values = np.ones((1, 4, 4, 2), np.float32)
    np.testing.assert_array_equal(CounterDropout(0.5)(values), values)
    np.testing.assert_array_equal(CounterDropout(0.0)(values, training=True), values)


def test_bfloat16_keeps_the_same_values():
    one, other = CounterDropout(0.2), CounterDropout(0.2, dtype="mixed_bfloat16")
    values = np.ones((2, 8, 8, 4), np.float32)
    for layer in (one, other):
        layer.set_noise(1, 2)
    full, half = (layer(values, training=True) for layer in (one, other))
    assert keras.backend.standardize_dtype(half.dtype) == "bfloat16"
    np.testing.assert_array_equal(np.array(full) > 0, np.array(tf.cast(half, "float32")) > 0)
