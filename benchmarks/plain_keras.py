"""FG-UNET and its training as they are written without further thought, to compare with.

Eleven calls of one shared model, Keras's own dropout, loss and ``model.fit``, patches that lie in
memory. Run as a program it trains and prints patches a second and its peak memory in GB.
"""

import argparse
import os
import re
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

GROUPS, CHANNELS, CLASSES, SIZE, BATCH = 11, 30, 17, 64, 16


def pair(x: Any, filters: int) -> Any:
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.Dropout(0.2)(x)
    return layers.Conv2D(filters, 3, padding="same", activation="relu")(x)


def shared_model() -> keras.Model:
    """The sub-network of a group."""
    image = keras.Input((None, None, CHANNELS))
    fine = pair(image, 32)
    middle = pair(layers.MaxPooling2D()(fine), 64)
    coarse = pair(layers.MaxPooling2D()(middle), 128)
    middle = pair(layers.Concatenate()([layers.UpSampling2D()(coarse), middle]), 64)
    fine = pair(layers.Concatenate()([layers.UpSampling2D()(middle), fine]), 32)
    pixel = layers.Conv2D(200, 1, activation="relu")(image)
    pixel = layers.Dropout(0.2)(layers.Conv2D(100, 1, activation="relu")(pixel))
    pixel = layers.Dropout(0.2)(layers.Conv2D(50, 1, activation="relu")(pixel))
    return keras.Model(image, layers.Concatenate()([pixel, fine]))


def whole_model() -> keras.Model:
    """The network: the sub-network called for each group, and the head."""
    image, shared = keras.Input((None, None, GROUPS * CHANNELS)), shared_model()
    groups = [image[..., n * CHANNELS : (n + 1) * CHANNELS] for n in range(GROUPS)]
    joined = layers.Concatenate()([shared(group) for group in groups])
    return keras.Model(image, layers.Conv2D(CLASSES, 1)(joined))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=4, help="steps that are measured")
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    generator = np.random.default_rng(0)
    count = arguments.steps * BATCH
    images = generator.random((count, SIZE, SIZE, GROUPS * CHANNELS), dtype=np.float32)
    labels = generator.integers(CLASSES, size=(count, SIZE, SIZE))
    weights = (generator.random(labels.shape) < 0.3).astype(np.float32)  # 0 = unlabelled
    model = whole_model()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-4), loss)
    # The first steps also build the graph.
    model.fit(images[:BATCH], labels[:BATCH], BATCH, sample_weight=weights[:BATCH], verbose=0)
    begin = time.perf_counter()
    model.fit(images, labels, BATCH, sample_weight=weights, verbose=0)
    seconds = time.perf_counter() - begin
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    print(count / seconds, int(peak[1]) * 1024 / 1e9 if peak else float("nan"))


if __name__ == "__main__":
    main()
