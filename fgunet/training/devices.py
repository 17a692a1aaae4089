"""The processors that a worker computes with."""

import tensorflow as tf


def use_threads(threads: int) -> None:
    """Let TensorFlow use so many threads, and repeat itself bit for bit.

    Raises
    ------
    RuntimeError
        If TensorFlow has begun to compute (its own message).
    """
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    # The two paths of the network run side by side: what one cannot share out, the other fills.
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    tf.config.experimental.enable_op_determinism()


def use_gpu(local_rank: int) -> None:
    """Let TensorFlow use this worker's own GPU, and no more of its memory than it needs.

    Where there is none, nothing is done.

    Parameters
    ----------
    local_rank : int
        Number of this worker among those of its host.

    Raises
    ------
    RuntimeError
        If TensorFlow has begun to compute (its own message).
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        own = gpus[place_of_gpu(local_rank, len(gpus))]
        tf.config.set_visible_devices(own, "GPU")
        tf.config.experimental.set_memory_growth(own, enable=True)


def place_of_gpu(local_rank: int, count: int) -> int:
    """Which of the GPUs that a worker sees is its own, from 0.

    A scheduler may show each worker its GPU alone, or all workers of a node all of its GPUs.
    """
    return local_rank % count
