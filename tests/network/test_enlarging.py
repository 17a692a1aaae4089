import keras
import numpy as np
import pytest

from fgunet.errors import ModelError
from fgunet.network import build_fgunet, partial_network, with_precision
from fgunet.network.enlarging import EnlargingConvolution, corner_kernel


def test_weights_of_corners_by_hand():
    # One map, one output, weights 1 to 9 by rows.
    kernel = np.arange(1, 10, dtype=np.float32).reshape(3, 3, 1, 1)
    corners = corner_kernel(kernel).reshape(2, 2, 2, 2)  # coarse row, column; fine row, column
    # Up left of the corner: the kernel's first two rows and columns fall onto the coarse pixel up
    # left, the last ones onto the others.
    np.testing.assert_array_equal(corners[:, :, 0, 0], [[1 + 2 + 4 + 5, 3 + 6], [7 + 8, 9]])
    # Down right: only the first row and column fall onto the one up left.
    np.testing.assert_array_equal(corners[:, :, 1, 1], [[1, 2 + 3], [4 + 7, 5 + 6 + 8 + 9]])
    np.testing.assert_array_equal(corners.sum(axis=(0, 1)), np.full((2, 2), 45))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (6, 3)])
def test_it_gives_what_the_three_layers_give(shape):
    random = np.random.default_rng(3)
    convolution = keras.layers.Conv2D(5, 3, padding="same", activation="relu")
    coarse = random.normal(size=(2, *shape, 4)).astype(np.float32)
    fine = random.normal(size=(2, 2 * shape[0], 2 * shape[1], 3)).astype(np.float32)
    joined = np.concatenate([coarse.repeat(2, axis=1).repeat(2, axis=2), fine], axis=-1)
    convolution.build(joined.shape)
    convolution.set_weights([random.normal(size=w.shape) for w in convolution.get_weights()])
    found = EnlargingConvolution(convolution, 4)([coarse, fine])
    np.testing.assert_allclose(found, convolution(joined), atol=1e-5)
    assert (np.asarray(found) > 0).mean() > 0.2


def network(precision="float32"):
    keras.utils.set_random_seed(1)
    model = build_fgunet(
        n_groups=2, dates_per_group=2, n_bands=2, n_classes=3, width=8, precision=precision
    )
    random = np.random.default_rng(2)
    model.set_weights([w + random.normal(0, 0.1, w.shape) for w in model.get_weights()])
    return model


def test_maps_of_a_group_are_those_of_the_model():
    model = network()
    values = np.random.default_rng(5).random((1, 12, 20, 8), dtype=np.float32)
    paths, bias = partial_network(model)
    logits = bias + sum(
        np.asarray(path.maps_of(values[..., 4 * g : 4 * g + 4])) @ path.kernels[g]
        for g in range(2)
        for path in paths
    )
    np.testing.assert_allclose(logits, model(values), atol=1e-5)


def test_another_precision_is_the_same_network():
    model, values = network(), np.random.default_rng(5).random((1, 8, 8, 8), dtype=np.float32)
    half = with_precision(model, "bfloat16")
    assert half.get_layer("up1_conv1").compute_dtype == "bfloat16"
    assert half.output.dtype == "float32"
    exact, rounded = np.asarray(model(values)), np.asarray(half(values))
    # bfloat16 has 8 bits; some layers on, errors of a few percent of the largest value.
    assert 0 < np.abs(exact - rounded).max() < 0.05 * np.abs(exact).max()
    back = with_precision(half, "float32")
    np.testing.assert_array_equal(back(values), exact)
    trained = network("bfloat16")
    np.testing.assert_array_equal(trained(values), rounded)
    with pytest.raises(ModelError, match="float16"):
        with_precision(model, "float16")
