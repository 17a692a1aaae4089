"""The patches of a plan: its files opened and checked."""

from collections.abc import Sequence

import numpy as np

from fgunet.errors import TrainingError
from fgunet.patches.avoidance import ReadGround
from fgunet.patches.drawing import (
    TRAINING_STREAM,
    VALIDATION_STREAM,
    Bounds,
    PatchSource,
)
from fgunet.patches.labels import SplitGround, SplitLabels, require_one_grid
from fgunet.patches.placement import Placement
from fgunet.patches.wording import differences
from fgunet.rasters import read_grid
from fgunet.reference.sides import SPLIT_CODES, SPLIT_NAMES, TEST, TRAINING
from fgunet.series.store import SeriesStore
from fgunet.training.plan import TilePaths, TrainingPlan

Drawn = tuple[list[SplitLabels], Placement]
"""The labels of one split of each tile, and where patches of it are drawn."""


def open_patches(plan: TrainingPlan) -> tuple[PatchSource, PatchSource]:
    """Patches that are trained on, and patches that the model is chosen by.

    The first show no label of another split than training, and are turned at random; where the
    plan avoids test context, they show no pixel of a test polygon. The second show the labels of
    the split that the plan selects on alone, as they lie, with whatever surrounds them, because
    a map shows that too.

    Raises
    ------
    TrainingError
        If a series is not the one that the plan was made for.
    PatchError
        If no patch can be drawn, or a tile's reference lies on another grid than its series.
    """
    series = [_planned_series(tile, plan) for tile in plan.tiles]
    training = training_patches(
        plan.tiles,
        plan.codes,
        size=plan.patch_size,
        jitter=plan.jitter,
        avoid_test_context=plan.avoid_test_context,
    )
    split = SPLIT_CODES[plan.select_on]
    if split == TRAINING and not plan.avoid_test_context:
        selection = training
    else:
        selection = _drawn(plan.tiles, plan.codes, split, (plan.patch_size, plan.jitter))
    return (
        _source(plan, series, training, TRAINING_STREAM, augmented=True),
        _source(plan, series, selection, VALIDATION_STREAM, augmented=False),
    )


def training_patches(
    tiles: Sequence[TilePaths],
    codes: Sequence[int],
    *,
    size: int,
    jitter: int,
    avoid_test_context: bool,
) -> Drawn:
    """Training labels of some tiles, and where patches of them are drawn.

    Parameters
    ----------
    tiles : sequence of TilePaths
        Files of each tile.
    codes : sequence of int
        Codes of the classes, in the order of their labels.
    size, jitter : int
        Side of a patch and greatest shift of its drawn pixel, in pixels.
    avoid_test_context : bool
        Whether no patch may show a pixel of a test polygon.

    Raises
    ------
    PatchError
        If no patch can be drawn.
    """
    avoided = [SplitGround(tile.split, TEST).read for tile in tiles] if avoid_test_context else None
    return _drawn(tiles, codes, TRAINING, (size, jitter), avoided)


def require_grids(tiles: Sequence[TilePaths]) -> None:
    """Check that the reference of each tile lies on the grid of its series.

    Raises
    ------
    PatchError
        If it does not; the tile, both files and both grids are named.
    """
    for tile in tiles:
        _series_on_one_grid(tile)


def _series_on_one_grid(tile: TilePaths) -> SeriesStore:
    series = SeriesStore(tile.series)
    for path in (tile.code, tile.split):
        require_one_grid(tile.tile, (tile.series, series.grid), (path, read_grid(path)))
    return series


def _planned_series(tile: TilePaths, plan: TrainingPlan) -> SeriesStore:
    series = _series_on_one_grid(tile)
    found, expected = (
        {"dates": each.dates, "bands": each.bands, "nodata": (str(each.nodata),)}
        for each in (series, plan)
    )
    different = differences(found, expected)
    if different:
        raise TrainingError(
            f"tile {tile.tile}: the series {tile.series} is not the one that the plan was made "
            f"for ({different}); make the plan again"
        )
    return series


def _drawn(
    tiles: Sequence[TilePaths],
    codes: Sequence[int],
    split: int,
    size_and_jitter: tuple[int, int],
    avoided: Sequence[ReadGround] | None = None,
) -> Drawn:
    labels = [SplitLabels(tile.code, tile.split, codes, split) for tile in tiles]
    size, jitter = size_and_jitter
    placement = Placement(
        labels,
        n_classes=len(codes),
        size=size,
        jitter=jitter,
        names=[tile.tile for tile in tiles],
        split=SPLIT_NAMES[split],
        avoided=avoided,
    )
    return labels, placement


def _source(
    plan: TrainingPlan, series: Sequence[SeriesStore], drawn: Drawn, stream: int, *, augmented: bool
) -> PatchSource:
    labels, placement = drawn
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
