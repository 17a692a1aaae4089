"""Smooth random fields."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, spatial


def smooth_noise(
    rng: np.random.Generator, shape: tuple[int, int], length: float, octaves: int = 3
) -> NDArray[np.float32]:
    """A smooth random field with mean about 0 and standard deviation about 1.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    shape : tuple of int
        (height, width) in cells.
    length : float
        Size of the largest bumps, in cells.
    octaves : int
        Number of scales, each half as large and half as strong as the last.
    """
    total = np.zeros(shape, dtype=np.float64)
    for octave in range(octaves):
        step = max(length / 2 / 2**octave, 1.0)
        coarse = rng.standard_normal([int(size / step) + 5 for size in shape])
        down, across = (_spline_weights(size, step) for size in shape)
        total += 0.5**octave * (across @ (down @ coarse).T).T
    spread = float(total.std())
    return (total / spread if spread else total).astype(np.float32)


def _spline_weights(size: int, step: float) -> sparse.csr_array:
    """Weights (size, knots) of uniform cubic B-splines with a knot every `step` cells."""
    place = np.arange(size) / step
    knot = place.astype(np.int64)
    t = place - knot
    weights = np.stack(
        [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1
    )
    rows = np.repeat(np.arange(size), 4)
    cols = (knot[:, None] + np.arange(4)).reshape(-1)
    return sparse.csr_array((weights.reshape(-1) / 6, (rows, cols)), (size, int(size / step) + 5))


def ranks(values: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """The rank of each value among all, from 0 (lowest) towards 1 (highest)."""
    order = np.argsort(values, axis=None, kind="stable")
    result = np.empty(values.size, dtype=np.float32)
    result[order] = np.arange(values.size, dtype=np.float32) / values.size
    return result.reshape(values.shape)


def voronoi(
    rng: np.random.Generator, shape: tuple[int, int], spacing: float, wobble: float = 0.25
) -> tuple[NDArray[np.int64], int]:
    """Irregular cells: the number of the nearest of a set of jittered points.

    Parameters
    ----------
    spacing : float
        Mean distance of the points, in raster cells.
    wobble : float
        Bending of the borders, as a share of the spacing.

    Returns
    -------
    numbers : int64 (y, x)
        0 .. count - 1.
    count : int
        Number of points.
    """
    steps = [int(np.ceil(size / spacing)) + 2 for size in shape]
    rows, cols = np.meshgrid(*(np.arange(n, dtype=float) - 1 for n in steps), indexing="ij")
    points = np.stack([rows, cols], axis=-1).reshape(-1, 2)
    points = (points + rng.uniform(0.1, 0.9, points.shape)) * spacing
    bend = [wobble * spacing * smooth_noise(rng, shape, spacing, 2) for _ in range(2)]
    where = np.meshgrid(*(np.arange(size) for size in shape), indexing="ij")
    query = np.stack([axis + shift for axis, shift in zip(where, bend, strict=True)], axis=-1)
    _, nearest = spatial.cKDTree(points).query(query)
    return np.asarray(nearest, dtype=np.int64), len(points)
