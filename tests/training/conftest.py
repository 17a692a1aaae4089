"""A plan and patches small enough for tests."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

from fgunet.training.plan import TilePaths, TrainingPlan


class RandomPatches:
    """Patches whose class is written in their brightness, by number."""

    def __init__(self, size, channels, n_classes, stop_at=None):
        self.size, self.channels, self.n_classes, self.stop_at = size, channels, n_classes, stop_at

    def patch(self, index):
        if self.stop_at is not None and index >= self.stop_at:
            raise InterruptedError("killed")
        generator = np.random.default_rng(index)
        labels = generator.integers(self.n_classes, size=(self.size, self.size)).astype(np.uint8)
        noise = 0.1 * generator.random((self.size, self.size, self.channels))
        image = labels[..., None] / self.n_classes + noise
        labels[generator.random(labels.shape) < 0.5] = 255
        return image.astype(np.float32), labels

    def batch(self, indices):
        patches = [self.patch(index) for index in indices]
        return np.stack([p[0] for p in patches]), np.stack([p[1] for p in patches])


@pytest.fixture(scope="session")
def random_patches():
    return RandomPatches


@pytest.fixture(scope="session")
def make_plan():
    def make(**changes):
        values = {
            "nomenclature": "three",
            "codes": (11, 31, 222),
            "tiles": (TilePaths("T31TCJ", "a.zarr", "code.tif", "split.tif"),),
            "dates": ("20180101", "20180111", "20180121", "20180131"),
            "bands": ("B02", "B03"),
            "nodata": 65535,
            "low": ((0.0, 0.0),) * 4,
            "high": ((1000.0, 1000.0),) * 4,
            "class_weights": (1.0, 0.5, 1.5),
            "dates_per_group": 2,
            "width": 2,
            "dropout": 0.2,
            "patch_size": 8,
            "jitter": 2,
            "epochs": 3,
            "patches_per_epoch": 12,
            "batch_size": 6,
            "learning_rate": 0.01,
            "warmup_epochs": 1,
            "plateau_factor": 0.5,
            "plateau_patience": 1,
            "minimum_learning_rate": 0.001,
            "validation_patches": 5,
            "seed": 7,
        }
        return TrainingPlan(**{**values, **changes})

    return make
