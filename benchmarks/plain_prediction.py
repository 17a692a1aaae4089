"""A map made with FG-UNET as it is written without further thought, to compare with.

Eleven calls of one shared model (`plain_keras.py`) and Keras's ``model.predict``, window by window;
all windows lie in memory, normalised. Nothing is read or written. Run as a program it prints
seconds, its peak memory in GB, and the machine's own product of float32 matrices in GFLOP/s.
"""

import argparse
import json
import re
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from plain_keras import CHANNELS, GROUPS, whole_model


def matrix_product() -> float:
    """GFLOP/s of products of float32 matrices of 4096 x 4096, the best of five."""
    matrix = tf.random.normal((4096, 4096))
    product = tf.function(lambda values: tf.matmul(values, values)[0, 0])
    product(matrix)
    seconds = []
    for _ in range(5):
        begin = time.perf_counter()
        product(matrix).numpy()
        seconds.append(time.perf_counter() - begin)
    return 2 * 4096**3 / min(seconds) / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shapes", help="shapes of the windows, as JSON: [[height, width], ...]")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    generator = np.random.default_rng(0)
    shapes = [(1, *shape, GROUPS * CHANNELS) for shape in json.loads(arguments.shapes)]
    windows = [generator.random(shape, dtype=np.float32) for shape in shapes]
    model = whole_model()
    model.predict(windows[0][:, :64, :64], verbose=0)  # the first call also builds the graph
    peak = matrix_product()
    begin = time.perf_counter()
    for window in windows:
        model.predict(window, verbose=0).argmax(axis=-1)
    seconds = time.perf_counter() - begin
    memory = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text(encoding="ascii"))
    gb = int(memory[1]) * 1024 / 1e9 if memory else float("nan")
    print(json.dumps([seconds, gb, peak]))


if __name__ == "__main__":
    main()
