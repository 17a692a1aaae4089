"""What learning took: time, workers and samples of each method, and the hours on one CPU."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from fgunet.errors import AccuracyError

_COLUMNS = {
    "method": "object",
    "wall_s": "float64",
    "workers": "Int64",
    "threads": "Int64",
    "cpu_s": "float64",
    "samples": "Int64",
    "sample_unit": "object",
    "samples_per_s": "float64",
    "one_cpu_h": "float64",
}


def learning_time(documents: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Tell what the learning of each method took.

    Only learning is measured. For the network it is the sum of its epochs: reading and drawing
    their patches, all steps, the validation after each epoch, and checkpoints. Starting the
    workers, opening the series, and writing the model are left out, and so are steps that were
    done again after a restart. For the forest it is the growing of the trees; drawing the pixels
    from the series, reading and sorting them, and writing the forest are left out.

    Parameters
    ----------
    documents : iterable of mapping
        Metadata of the methods' models, in the order of the rows. Needed are `method`, and
        either `patches` (int; drawn for learning, those of the validation not counted) or
        `samples` (pixels by class code). `wall_s` and `cpu_s` (seconds), `workers` and
        `threads_per_worker` may be missing.

    Returns
    -------
    pandas.DataFrame
        One row a document. What is unknown, or divided by no time, is NaN, or NA in a column of
        whole numbers.

        - method : str
        - wall_s : float64, seconds on the clock
        - workers : Int64, processes that learned together (at the last start, if there were
          several)
        - threads : Int64, threads of each worker
        - cpu_s : float64, processor time in seconds of all threads of all workers together,
          what they spent in busy waiting for one another included
        - samples : Int64, patches drawn or pixels learned from
        - sample_unit : str, "patches" or "pixels"
        - samples_per_s : float64, samples / wall_s
        - one_cpu_h : float64, hours that one CPU would be busy: cpu_s / 3600

    Raises
    ------
    AccuracyError
        If a document does not name its method, or has neither patches nor samples.
    """
    table = pd.DataFrame([_row(document) for document in documents], columns=list(_COLUMNS))
    return table.astype(_COLUMNS)


def _row(document: Mapping[str, Any]) -> dict[str, Any]:
    samples, unit = _samples(document)
    wall_s, cpu_s = _number(document, "wall_s"), _number(document, "cpu_s")
    return {
        "method": document["method"],
        "wall_s": wall_s,
        "workers": _number(document, "workers"),
        "threads": _number(document, "threads_per_worker"),
        "cpu_s": cpu_s,
        "samples": samples,
        "sample_unit": unit,
        "samples_per_s": samples / wall_s if wall_s > 0 else math.nan,
        "one_cpu_h": cpu_s / 3600,
    }


def _samples(document: Mapping[str, Any]) -> tuple[int, str]:
    """How many samples, and of what."""
    if "method" in document and "patches" in document:
        return int(document["patches"]), "patches"
    if "method" in document and "samples" in document:
        return sum(document["samples"].values()), "pixels"
    raise AccuracyError(
        "the metadata of a model need the keys method and patches (a network) or method and "
        f"samples (a forest) to tell what its learning took; found {sorted(document)}. Train it "
        "again: delete its folder in results/models"
    )


def _number(document: Mapping[str, Any], key: str) -> float:
    value = document.get(key)
    return math.nan if value is None else float(value)
