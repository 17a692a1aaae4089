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
from fgunet.patches.placement import Placement
from fgunet.patches.statistics import class_weights, merge_statistics, read_statistics
from fgunet.training.plan import TilePaths, TrainingPlan, require_groups
from fgunet.training.sources import require_grids, training_patches

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
        If the statistics do not fit together, a tile's reference lies on another grid than its
        series, or no patch can be drawn.
    """
    require_grids(tiles)
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
    labels, placement = training_patches(
        tiles,
        nomenclature.codes,
        size=settings["patch_size"],
        jitter=settings["jitter"],
        avoid_test_context=settings["avoid_test_context"],
    )
    drawn = count_drawn_labels(
        labels,
        placement,
        n_patches=min(WEIGHING_PATCHES, settings["epochs"] * settings["patches_per_epoch"]),
        n_classes=len(nomenclature.codes),
        seed=settings["seed"],
    )
    weights = class_weights(drawn)
    _tell(nomenclature, placement, weights)
    return tuple(float(weight) for weight in weights)


def _tell(nomenclature: Nomenclature, placement: Placement, weights: NDArray[np.float64]) -> None:
    """Log what each class and tile gives, and warn of those that give nothing."""
    columns = nomenclature.classes, placement.labelled, placement.counts, weights
    for cls, labelled, drawable, weight in zip(*columns, strict=True):
        _log.info(
            "%d %s: %d training pixels, %d of them drawable, weight %.3f",
            cls.code,
            cls.name,
            labelled,
            drawable,
            weight,
        )
    for label in placement.lost:
        _log.warning(
            "class %d: none of its %d training pixels has a patch free of test context; it is "
            "not drawn. Set fgunet.avoid_test_context to false to learn it",
            nomenclature.codes[label],
            placement.labelled[label],
        )
    absent = [code for code, weight in zip(nomenclature.codes, weights, strict=True) if not weight]
    if absent:
        _log.warning("no training patch holds the classes %s: they will not be learnt", absent)
    if placement.empty_tiles:
        _log.warning(
            "no training pixel can be drawn in %d of %d tiles: %s",
            len(placement.empty_tiles),
            len(placement.names),
            ", ".join(placement.empty_tiles),
        )


def _rows(table: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(value) for value in row) for row in table)
