"""Preparing the next values while the present one is used."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def prefetched(
    make: Callable[[_Key], _Value], keys: Iterable[_Key], depth: int = 2
) -> Iterator[_Value]:
    """``make(key)`` of each key in order, made ahead in one other thread.

    Parameters
    ----------
    make : callable
        Makes a value; its errors are raised where the value would come.
    keys : iterable
        What to make values of.
    depth : int
        How many values are made ahead at most; they are held in memory.

    Yields
    ------
    value
    """
    remaining = iter(keys)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefetch") as pool:
        waiting: deque[Future[_Value]] = deque()
        try:
            waiting.extend(pool.submit(make, key) for key in islice(remaining, depth))
            while waiting:
                value = waiting.popleft().result()
                waiting.extend(pool.submit(make, key) for key in islice(remaining, 1))
                yield value
        finally:
            for future in waiting:
                future.cancel()
