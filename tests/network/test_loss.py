import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
import pytest
from sklearn.metrics import log_loss

from fgunet.network import weighted_cross_entropy


def test_by_hand():
    # Two labelled pixels with even logits: each costs log 2, weighted 1 and 3.
    labels = np.array([[[0, 1, 255]]], dtype=np.uint8)
    loss, weight = weighted_cross_entropy(labels, np.zeros((1, 1, 3, 2), np.float32), [1.0, 3.0])
    assert float(loss) == pytest.approx(4 * np.log(2))
    assert float(weight) == 4


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
    assert float(loss) / float(weight) == pytest.approx(expected, rel=1e-5)


def test_without_labels_both_are_zero():
    labels = np.full((1, 2, 2), 255, np.uint8)
    loss, weight = weighted_cross_entropy(labels, np.ones((1, 2, 2, 2), np.float32), [1.0, 1.0])
    assert (float(loss), float(weight)) == (0, 0)
