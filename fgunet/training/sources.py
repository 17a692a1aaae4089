"""The patches of a plan: its files opened and checked."""

from collections.abc import Sequence

import numpy as np

from fgunet.errors import TrainingError
from fgunet.patches.drawing import (
    TRAINING_STREAM,
    VALIDATION_STREAM,
    Bounds,
    PatchSource,
)
from fgunet.patches.labels import SplitLabels
from fgunet.patches.placement import Placement
from fgunet.rasters import Series
from fgunet.reference.sides import TRAINING, VALIDATION
from fgunet.series.store import SeriesStore
from fgunet.training.plan import TilePaths, TrainingPlan


def open_patches(plan: TrainingPlan) -> tuple[PatchSource, PatchSource]:
    """Training patches and validation patches of a plan.

    Training patches show no label of another split, and are turned at random; validation
    patches show the labels of the validation split alone, as they lie.

    Raises
    ------
    TrainingError
        If a series is not the one that the plan was made for.
    PatchError
        If no patch can be drawn.
    """
    series = [_series(tile, plan) for tile in plan.tiles]
    return (
        _source(plan, series, TRAINING, TRAINING_STREAM, augmented=True),
        _source(plan, series, VALIDATION, VALIDATION_STREAM, augmented=False),
    )


def _series(tile: TilePaths, plan: TrainingPlan) -> SeriesStore:
    series = SeriesStore(tile.series)
    found = tuple(series.dates), tuple(series.bands), series.nodata
    expected = plan.dates, plan.bands, plan.nodata
    if found != expected:
        raise TrainingError(
            f"{tile.series} has dates, bands and nodata {found}, the plan {expected}; "
            "make the plan again"
        )
    return series


def _source(
    plan: TrainingPlan, series: Sequence[Series], split: int, stream: int, *, augmented: bool
) -> PatchSource:
    labels = [SplitLabels(tile.code, tile.split, plan.codes, split) for tile in plan.tiles]
    placement = Placement(
        labels, n_classes=len(plan.codes), size=plan.patch_size, jitter=plan.jitter
    )
    low, high = (np.asarray(bound, dtype=np.float32) for bound in (plan.low, plan.high))
    return PatchSource(
        series,
        labels,
        placement,
        Bounds(low, high),
        seed=plan.seed,
        stream=stream,
        augmented=augmented,
    )
