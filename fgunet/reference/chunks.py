"""Work on large arrays, chunk by chunk, on several threads."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Result = TypeVar("Result")


def in_chunks(
    work: Callable[[slice], Result], count: int, *, size: int, threads: int
) -> Iterator[Result]:
    """Results of `work` on slices of `size` of 0 to `count`, in their order.

    Chunks do not depend on the number of threads, and so results do not. GEOS lets other threads
    run while it works.
    """
    chunks = [slice(*edges) for edges in pairwise([*range(0, count, size), count])]
    if threads == 1:
        yield from map(work, chunks)
        return
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(work, chunks)


def added_up(
    place: NDArray[np.int64], values: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Sums (count,) of `values` (n,) by `place` (n,)."""
    return np.bincount(place, weights=values, minlength=count).astype(np.float64)
