"""Checkpoints: one file from which a stopped training goes on."""

import io
import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import TrainingError, WriteError
from fgunet.files import atomic_path, unwritable
from fgunet.training.plan import TrainingPlan, differences

Row = dict[str, float | int | None]
"""One line of the history: a value for each column."""


@dataclass
class Progress:
    """How far a training has come, beside its weights.

    Attributes
    ----------
    steps : int
        Steps done since the first epoch; times the batch, the number of the next sample. Dropout
        follows that number too, so this is also the state of its noise.
    loss_sum, weight_sum : float
        Loss of the steps of an epoch that is not done yet, and the labelled weight.
    epoch_wall_s : float
        Seconds spent in that epoch.
    schedule : dict
        State of the learning rate.
    best_epoch, best_score
        Epoch (from 1) of the model chosen so far, and the score it was chosen by; 0 and None
        before the first.
    history : list of dict
        A line for each epoch that is done.
    wall_s, cpu_s : float
        Time spent so far, in seconds: of worker 0's clock, and of all workers' processors.
    """

    steps: int = 0
    loss_sum: float = 0.0
    weight_sum: float = 0.0
    epoch_wall_s: float = 0.0
    schedule: dict[str, Any] = field(default_factory=dict)
    best_epoch: int = 0
    best_score: float | None = None
    history: list[Row] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0

    @property
    def epochs(self) -> int:
        """Epochs done, their validation included."""
        return len(self.history)


Weights = list[NDArray[Any]]


@dataclass
class Checkpoint:
    """A training between two steps: its progress, its weights, and the best weights."""

    progress: Progress
    model: Weights
    optimizer: Weights
    best: Weights


def write_checkpoint(
    path: str | os.PathLike[str], checkpoint: Checkpoint, plan: TrainingPlan
) -> None:
    """Write a checkpoint as one NumPy archive, atomically.

    Parameters
    ----------
    path : path
        File to write, ending in ".npz".
    checkpoint : Checkpoint
        What to write.
    plan : TrainingPlan
        The plan it belongs to; kept with it.

    Raises
    ------
    TrainingError
        If it cannot be written (a full disk); one that is there stays as it was.
    """
    header = json.dumps({"plan": plan.identity(), "progress": asdict(checkpoint.progress)})
    arrays = {"header": np.frombuffer(header.encode(), dtype=np.uint8)}
    for name in ("model", "optimizer", "best"):
        for number, values in enumerate(getattr(checkpoint, name)):
            arrays[f"{name}_{number:04d}"] = values
    content = io.BytesIO()
    np.savez(content, **arrays)
    try:
        with atomic_path(path) as part:
            part.write_bytes(content.getbuffer())
    except WriteError as error:
        kept = "the one before is kept" if Path(path).exists() else "there is none yet"
        raise TrainingError(
            f"{unwritable(path, error.__cause__ or error, content.tell())}: the training goes on "
            f"from its last checkpoint ({kept})"
        ) from error


def read_checkpoint(path: str | os.PathLike[str], plan: TrainingPlan) -> Checkpoint | None:
    """Read a checkpoint of a plan.

    Parameters
    ----------
    path : path
        File that `write_checkpoint` wrote.
    plan : TrainingPlan
        The plan that is to go on.

    Returns
    -------
    Checkpoint or None
        None where there is none.

    Raises
    ------
    TrainingError
        If it belongs to another plan, with what differs, or is no checkpoint of this version.
    """
    if not Path(path).exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            found, progress = header["plan"], Progress(**header["progress"])
            model, optimizer, best = (
                [archive[key] for key in sorted(archive.files) if key.startswith(f"{name}_")]
                for name in ("model", "optimizer", "best")
            )
    except (EOFError, OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"{path} is not a checkpoint of this version ({type(error).__name__}: {error}); "
            "remove it to begin anew"
        ) from error
    if found != plan.identity():
        changed = "\n  ".join(differences(found, plan.identity()))
        raise TrainingError(
            f"{path} is the checkpoint of another training, {progress.steps} steps long. What "
            f"differs:\n  {changed}\nUndo the change to go on with it, or remove the file to "
            "begin anew"
        )
    return Checkpoint(progress, model, optimizer, best)


def values_of(variables: Sequence[Any]) -> Weights:
    """Copies of the values of Keras variables."""
    return [np.array(variable) for variable in variables]


def assign(variables: Sequence[Any], values: Weights) -> None:
    """Set Keras variables to values, in their order."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
