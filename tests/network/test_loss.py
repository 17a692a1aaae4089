import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import pytest
import tensorflow as tf
from sklearn.metrics import log_loss

from fgunet.network import weighted_cross_entropy


def test_by_hand():
    # Two labelled pixels with even logits: each costs log 2, weighted 1 and 3.
    labels = np.array([[[0, 1, 255]]], dtype=np.uint8)
    loss, weight = weighted_cross_entropy(labels, np.zeros((1, 1, 3, 2), np.float32), [1.0, 3.0])
    assert np.array(loss) == pytest.approx([4 * np.log(2)])
    assert np.array(weight).tolist() == [4]


def test_against_scikit_learn():
    generator = np.random.default_rng(0)
    logits = generator.normal(size=(2, 5, 5, 3)).astype(np.float32)
    labels = generator.choice(np.array([0, 1, 2, 255], np.uint8), (2, 5, 5))
    weights = np.array([0.5, 1.0, 1.5])
    loss, weight = weighted_cross_entropy(labels, logits, weights)
    known = labels != 255
    probabilities = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    expected = log_loss(
        labels[known], probabilities[known], sample_weight=weights[labels[known]], labels=[0, 1, 2]
    )
    assert np.sum(loss) / np.sum(weight) == pytest.approx(expected, rel=1e-5)


def test_without_labels_both_are_zero():
    labels = np.full((1, 2, 2), 255, np.uint8)
    loss, weight = weighted_cross_entropy(labels, np.ones((1, 2, 2, 2), np.float32), [1.0, 1.0])
    assert (np.array(loss).tolist(), np.array(weight).tolist()) == ([0], [0])


def test_unlabelled_pixels_have_no_gradient():
    generator = np.random.default_rng(1)
    labels = generator.choice(np.array([0, 1, 255], np.uint8), (2, 6, 6))
    logits = tf.constant(generator.normal(size=(2, 6, 6, 2)), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss, _ = weighted_cross_entropy(labels, logits, [1.0, 3.0])
    gradient = np.array(tape.gradient(loss, logits))
    labelled = labels != 255
    assert np.all(gradient[~labelled] == 0)
    assert np.all(np.abs(gradient[labelled]) > 0)


def test_images_are_summed_apart():
    labels = np.array([[[0, 1]], [[1, 255]]], np.uint8)
    loss, weight = weighted_cross_entropy(labels, np.zeros((2, 1, 2, 2), np.float32), [1.0, 3.0])
    np.testing.assert_allclose(loss, np.array([4, 3]) * np.log(2), rtol=1e-6)
    assert np.array(weight).tolist() == [4, 3]
