"""Work on several threads, through dask."""

from collections.abc import Callable, Sequence
from typing import Any

import dask
from dask.delayed import Delayed, delayed


class Tasks:
    """Calls that may depend on one another, made on several threads.

    After an error no further call is begun, and when it is raised none is at work any more.

    Parameters
    ----------
    threads : int
        How many calls are made at once.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._errors: list[Exception] = []

    def add(self, function: Callable[..., Any], *arguments: Any) -> Delayed:
        """A call to be made; arguments may be the results of others that were added."""

        def guarded(*values: Any) -> Any:
            if not self._errors:
                try:
                    return function(*values)
                except Exception as error:
                    self._errors.append(error)
            return None

        return delayed(guarded, pure=False, traverse=False)(*arguments)

    def results(self, calls: Sequence[Delayed | None]) -> list[Any]:
        """Make calls and all that they depend on, and give their results; or the first error."""
        results = dask.compute(*calls, scheduler="threads", num_workers=self._threads)
        if self._errors:
            raise self._errors[0]
        return list(results)
