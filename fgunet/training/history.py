"""The history of a training: a line for each epoch, as CSV and, on request, for TensorBoard."""

import csv
import io
import math
import os
from collections.abc import Sequence

import tensorflow as tf

from fgunet.files import write_text
from fgunet.training.checkpoints import Row
from fgunet.training.validation import Scores


def history_row(
    *,
    epoch: int,
    loss: float,
    scores: Scores,
    codes: Sequence[int],
    learning_rate: float,
    patches: int,
    patches_per_s: float,
    wall_s: float,
) -> Row:
    """The line of an epoch.

    Parameters
    ----------
    epoch : int
        From 1.
    loss : float
        Mean training loss over the labelled weight.
    scores : Scores
        Of the validation patches.
    codes : sequence of int
        Codes of the classes, in the order of their labels.
    learning_rate : float
        Of the epoch's last step.
    patches : int
        Training patches drawn so far.
    patches_per_s : float
        Training patches a second, without validation.
    wall_s : float
        Seconds of the epoch, with validation.

    Returns
    -------
    dict
        A number or None, where undefined, for each column.
    """
    return {
        "epoch": epoch,
        "loss": _known(loss),
        "validation_loss": _known(scores.loss),
        "validation_kappa": _known(scores.kappa),
        "validation_quadratic_kappa": _known(scores.quadratic_kappa),
        "validation_overall_accuracy": _known(scores.overall_accuracy),
        **{
            f"validation_f_{code}": _known(value)
            for code, value in zip(codes, scores.f_scores, strict=True)
        },
        "learning_rate": learning_rate,
        "patches": patches,
        "wall_s": round(wall_s, 3),
        "patches_per_s": round(patches_per_s, 3),
    }


def write_history(path: str | os.PathLike[str], rows: Sequence[Row]) -> None:
    """Write a line for each epoch as CSV, atomically; what is undefined is left empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def write_events(folder: str | os.PathLike[str], row: Row) -> None:
    """Add the line of an epoch to TensorBoard's event files of a folder.

    Epochs that are trained again after a restart come twice, with the same values.
    """
    writer = tf.summary.create_file_writer(os.fspath(folder))
    with writer.as_default(step=row["epoch"]):
        for name, value in row.items():
            if name != "epoch" and value is not None:
                tf.summary.scalar(name, value)
    writer.close()


def _known(value: float) -> float | None:
    """The value, or None where it is not a number: JSON has no nan."""
    return float(value) if math.isfinite(value) else None
