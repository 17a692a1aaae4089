"""Making a plan from the statistics of the tiles and the settings of a run."""

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import TrainingError
from fgunet.nomenclature import Nomenclature
from fgunet.patches.drawing import count_drawn_labels
from fgunet.patches.labels import SplitLabels
from fgunet.patches.placement import Placement
from fgunet.patches.statistics import class_weights, merge_statistics, read_statistics
from fgunet.reference.sides import TRAINING
from fgunet.training.plan import TilePaths, TrainingPlan, require_groups

_log = logging.getLogger(__name__)

LOW_PERCENT, HIGH_PERCENT = 3.0, 97.0
"""Percentiles of the training pixels that normalisation takes to 0 and 1."""

WEIGHING_PATCHES = 2000
"""Training patches, at most, in which the shares of the classes are counted."""


def make_plan(
    *,
    tiles: Sequence[TilePaths],
    paths_to_statistics: Sequence[str | os.PathLike[str]],
    nomenclature: Nomenclature,
    **settings: Any,
) -> TrainingPlan:
    """The plan of a training.

    Parameters
    ----------
    tiles : sequence of TilePaths
        Files of each tile.
    paths_to_statistics : sequence of path
        Statistics of the training pixels of each tile.
    nomenclature : Nomenclature
        The classes.
    **settings
        The fields of `TrainingPlan` that a user sets, from `dates_per_group` on.

    Returns
    -------
    TrainingPlan

    Raises
    ------
    TrainingError
        If the dates cannot be grouped, or the plan cannot be carried out.
    PatchError
        If the statistics do not fit together, or no patch can be drawn.
    """
    statistics = merge_statistics(
        (str(path), read_statistics(path)) for path in paths_to_statistics
    )
    require_groups(len(statistics.dates), settings["dates_per_group"])
    if statistics.without_data:
        _log.warning(
            "%d of %d training pixels are without data; they take no part in the percentiles",
            statistics.without_data,
            statistics.labelled,
        )
    try:
        return TrainingPlan(
            nomenclature=nomenclature.name,
            codes=nomenclature.codes,
            tiles=tuple(tiles),
            dates=statistics.dates,
            bands=statistics.bands,
            nodata=statistics.nodata,
            low=_rows(statistics.percentile(LOW_PERCENT)),
            high=_rows(statistics.percentile(HIGH_PERCENT)),
            class_weights=_weights(tiles, nomenclature, settings),
            **settings,
        )
    except TypeError as error:
        raise TrainingError(f"the settings of fgunet do not make a plan: {error}") from error


def _weights(
    tiles: Sequence[TilePaths], nomenclature: Nomenclature, settings: dict[str, Any]
) -> tuple[float, ...]:
    """Class weights from the training patches that will be drawn first."""
    codes = nomenclature.codes
    labels = [SplitLabels(tile.code, tile.split, codes, TRAINING) for tile in tiles]
    placement = Placement(
        labels,
        n_classes=len(codes),
        size=settings["patch_size"],
        jitter=settings["jitter"],
    )
    drawn = count_drawn_labels(
        labels,
        placement,
        n_patches=min(WEIGHING_PATCHES, settings["epochs"] * settings["patches_per_epoch"]),
        n_classes=len(codes),
        seed=settings["seed"],
    )
    weights = class_weights(drawn)
    for cls, pixels, weight in zip(nomenclature.classes, placement.counts, weights, strict=True):
        _log.info("%d %s: %d training pixels, weight %.3f", cls.code, cls.name, pixels, weight)
    absent = [code for code, weight in zip(codes, weights, strict=True) if weight == 0]
    if absent:
        _log.warning("no training patch holds the classes %s: they will not be learnt", absent)
    return tuple(float(weight) for weight in weights)


def _rows(table: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in table)
