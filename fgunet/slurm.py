"""Whether Slurm answers."""

import logging
import subprocess
import time
from collections.abc import Callable

_log = logging.getLogger(__name__)

_PING = ("scontrol", "ping")
_PATIENCE_S = 60


def is_away() -> bool:
    """Whether this machine belongs to a Slurm of which no controller answers.

    Where there is no Slurm, none is away; nor where it takes long to answer.
    """
    try:
        # It ends with an error where a controller is down.
        said = subprocess.run(  # noqa: S603
            _PING, capture_output=True, text=True, check=False, timeout=_PATIENCE_S
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "is DOWN" in said and "is UP" not in said


def wait_for_slurm(goes_on: Callable[[], bool] = lambda: True, *, poll_s: float = 10) -> None:
    """Wait until Slurm answers, if it is away, and say so.

    What it is asked or given meanwhile would fail.

    Parameters
    ----------
    goes_on : callable
        Whether to wait on; asked each time before.
    poll_s : float
        How often to ask Slurm, in seconds.
    """
    if is_away():
        _log.warning('Slurm does not answer ("scontrol ping"); waiting until it does')
        while goes_on() and is_away():
            time.sleep(poll_s)
