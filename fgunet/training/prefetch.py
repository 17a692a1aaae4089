"""Preparing the next values while the present one is used."""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from fgunet.errors import TrainingError

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


def _step_back() -> None:
    """Let this thread work in the gaps that others leave: what it makes is wanted later."""
    if sys.platform == "linux":  # there a priority is that of a thread, not of its process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)


def prefetched(
    make: Callable[[_Key], _Value],
    keys: Iterable[_Key],
    *,
    depth: int = 2,
    threads: int = 1,
) -> Generator[_Value, None, None]:
    """``make(key)`` of each key in order, made ahead in other threads.

    When the consumer stops, at the end or before, nothing more is begun, and no thread is left
    at work. After an error no value comes any more.

    Parameters
    ----------
    make : callable
        Makes a value; its errors are raised where the value would come. It is called by several
        threads at once if there are several.
    keys : iterable
        What to make values of; it is read by the consumer's thread.
    depth : int
        How many values are made ahead at most; they are held in memory. At least 1.
    threads : int
        How many values are made at once; more than `depth` are of no use. At least 1.

    Yields
    ------
    value

    Raises
    ------
    TrainingError
        If `depth` or `threads` is below 1.
    """
    if min(depth, threads) < 1:
        raise TrainingError(
            f"values cannot be made ahead by {threads} threads, {depth} at a time; take at least 1"
        )
    remaining = iter(keys)
    with ThreadPoolExecutor(threads, "prefetch", initializer=_step_back) as pool:
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
