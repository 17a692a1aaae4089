"""Checkpoints: one file from which a stopped training goes on."""

import json
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.files import atomic_path

_log = logging.getLogger(__name__)

Row = dict[str, float | int | None]
"""One line of the history: a value for each column."""


@dataclass
class Progress:
    """How far a training has come, beside its weights.

    Attributes
    ----------
    epochs : int
        Epochs done.
    schedule : dict
        State of the learning rate.
    best_epoch, best_kappa
        Epoch (from 1) of the model chosen so far, and its validation kappa; 0 and None
        before the first.
    history : list of dict
        A line for each epoch.
    wall_s, cpu_s : float
        Time spent so far, in seconds: of worker 0's clock, and of all workers' processors.
    """

    epochs: int = 0
    schedule: dict[str, Any] = field(default_factory=dict)
    best_epoch: int = 0
    best_kappa: float | None = None
    history: list[Row] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0


Weights = list[NDArray[Any]]


@dataclass
class Checkpoint:
    """A training between two epochs: its progress, its weights, and the best weights."""

    progress: Progress
    model: Weights
    optimizer: Weights
    best: Weights


def write_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint, plan_hash: str) -> None:
    """Write a checkpoint as one NumPy archive, atomically.

    Parameters
    ----------
    path : path
        File to write, ending in ".npz".
    checkpoint : Checkpoint
        What to write.
    plan_hash : str
        Hash of the plan it belongs to.
    """
    header = json.dumps({"plan": plan_hash, **asdict(checkpoint.progress)}).encode()
    arrays = {"header": np.frombuffer(header, dtype=np.uint8)}
    for name in ("model", "optimizer", "best"):
        for number, values in enumerate(getattr(checkpoint, name)):
            arrays[f"{name}_{number:04d}"] = values
    with atomic_path(path) as part:
        np.savez(part, allow_pickle=False, **arrays)


def read_checkpoint(path: str | os.PathLike[str], plan_hash: str) -> Checkpoint | None:
    """Read a checkpoint of a plan.

    Parameters
    ----------
    path : path
        File that `write_checkpoint` wrote.
    plan_hash : str
        Hash of the plan that is to go on.

    Returns
    -------
    Checkpoint or None
        None where there is none, or it belongs to another plan (logged).
    """
    if not Path(path).exists():
        return None
    with np.load(path, allow_pickle=False) as archive:
        header = json.loads(archive["header"].tobytes())
        found = header.pop("plan")
        if found != plan_hash:
            _log.warning(
                "%s belongs to another plan (%.12s, not %.12s): it is discarded, training "
                "begins anew",
                path,
                found,
                plan_hash,
            )
            return None
        model, optimizer, best = (
            [archive[key] for key in sorted(archive.files) if key.startswith(f"{name}_")]
            for name in ("model", "optimizer", "best")
        )
    return Checkpoint(Progress(**header), model, optimizer, best)


def values_of(variables: Sequence[Any]) -> Weights:
    """Copies of the values of Keras variables."""
    return [np.array(variable) for variable in variables]


def assign(variables: Sequence[Any], values: Weights) -> None:
    """Set Keras variables to values, in their order."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
