"""Stopping when asked to: a signal is noted, and obeyed where nothing is half done."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fgunet.errors import TrainingStoppedError


class StopRequest:
    """Whether this process was asked to stop."""

    def __init__(self) -> None:
        self.made = False

    def obey(self) -> None:
        """Stop here if asked to.

        Raises
        ------
        TrainingStoppedError
            If the process was asked to stop.
        """
        if self.made:
            raise TrainingStoppedError("the training was asked to stop (SIGTERM)")


@contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Note SIGTERM instead of dying of it; only the main thread of a process can.

    Schedulers send it before they kill: Slurm when the time is up (``KillWait`` seconds before)
    or a job is cancelled, `horovodrun` when another worker has died.
    """
    request = StopRequest()

    def note(number: int, frame: FrameType | None) -> None:
        request.made = True

    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = signal.signal(signal.SIGTERM, note)
    try:
        yield request
    finally:
        signal.signal(signal.SIGTERM, before)
