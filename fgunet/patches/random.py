"""Random numbers of one sample, whatever was drawn before it."""

import numpy as np


def sample_generator(seed: int, stream: int, index: int) -> np.random.Generator:
    """A generator that depends on its arguments alone (Philox, counter-based).

    Sample `index` is therefore the same whatever worker draws it, in whatever order.

    Parameters
    ----------
    seed : int
        Seed of the run, at least 0.
    stream : int
        Purpose of the samples (training, validation), at least 0: streams do not overlap.
    index : int
        Number of the sample, at least 0.

    Returns
    -------
    numpy.random.Generator

    Raises
    ------
    ValueError
        If an argument is negative (numpy's own message).
    """
    # Philox counts up from the lowest word: the highest is free for the sample's number.
    return np.random.Generator(np.random.Philox(key=[seed, stream], counter=[0, 0, 0, index]))
