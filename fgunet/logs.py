"""What a job says while it works: a log file, the terminal, and progress."""

import logging
import os
import sys
import time
from pathlib import Path
from types import TracebackType

from fgunet.errors import FgunetError

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def log_to(path: str | os.PathLike[str], label: str = "") -> None:
    """Send the library's log to `path` and to standard error, uncaught errors included.

    Parameters
    ----------
    path : path
        Log file, replaced.
    label : str
        Put before each line on the terminal, where several jobs speak at once
        (a tile, a method).
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    to_file = logging.FileHandler(path, mode="w", encoding="utf-8")
    to_file.setFormatter(logging.Formatter(_FORMAT))
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setFormatter(logging.Formatter(f"{label + ': ' if label else ''}%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_terminal], force=True)
    logging.captureWarnings(True)
    # On a full disk each line would become a traceback of logging's own.
    logging.raiseExceptions = False
    sys.excepthook = _log_uncaught


def _log_uncaught(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    """Log an error: one line where it is ours, the traceback where it is not."""
    if isinstance(error, FgunetError):
        logging.error("%s: %s", kind.__name__, error)
    else:
        logging.critical("unexpected error", exc_info=(kind, error, trace))


class Progress:
    """Log how far a long loop has come, at most every few seconds and at its end.

    Parameters
    ----------
    what : str
        What is counted, plural ("windows").
    total : int
        How many there are.
    interval_s : float
        Least time between two lines, in seconds.
    done : int
        How many were done before, in an earlier run.

    Examples
    --------
    >>> progress = Progress("windows", 2)
    >>> for _ in range(2):
    ...     progress.advance()
    """

    def __init__(self, what: str, total: int, interval_s: float = 5.0, *, done: int = 0) -> None:
        self._what, self._total, self._interval = what, total, interval_s
        self._done = self._before = done
        self._start = self._last = time.monotonic()
        self._log = logging.getLogger("fgunet.progress")

    def advance(self, count: int = 1) -> None:
        """Count `count` more as done."""
        self._done += count
        now = time.monotonic()
        if self._done < self._total and now - self._last < self._interval:
            return
        self._last = now
        elapsed = now - self._start
        rate = (self._done - self._before) / max(elapsed, 1e-9)
        self._log.info(
            "%d/%d %s (%.0f %%), %.0f s, %.3g %s/s, about %s left",
            self._done,
            self._total,
            self._what,
            100 * self._done / self._total,
            elapsed,
            rate,
            self._what,
            _spoken((self._total - self._done) / rate),
        )


def _spoken(seconds: float) -> str:
    """A time in the largest unit that says it well."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
