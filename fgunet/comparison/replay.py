"""What the network saw: the places of its patches are drawn again, no image is read."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fgunet.comparison.seen import Strip, seen_in_patches
from fgunet.errors import ComparisonError
from fgunet.patches.drawing import TRAINING_STREAM
from fgunet.patches.labels import Labels
from fgunet.rasters import read_band, read_grid, require_same_grid
from fgunet.reference.rasterisation import strips
from fgunet.training.plan import TrainingPlan
from fgunet.training.sources import training_patches


def seen_in_training(
    plan: TrainingPlan,
    metadata: Mapping[str, Any],
    paths_to_polygon: Sequence[str | os.PathLike[str]],
) -> pd.DataFrame:
    """Training pixels that the patches of a training showed.

    Each tile is read by strips; beside them, only the places of the patches are held.

    Parameters
    ----------
    plan : TrainingPlan
        The plan that was carried out.
    metadata : mapping
        Metadata of its model: plan_hash, and patches, how many were drawn.
    paths_to_polygon : sequence of path
        Raster of polygon numbers of each tile of the plan.

    Returns
    -------
    pandas.DataFrame
        As `fgunet.comparison.seen.seen_in_patches` gives it.

    Raises
    ------
    ComparisonError
        If the model was trained by another plan.
    GridError
        If the rasters of a tile do not share a grid.
    """
    if metadata["plan_hash"] != plan.hash:
        raise ComparisonError(
            f"the network was trained by the plan {metadata['plan_hash'][:12]}, this is the plan "
            f"{plan.hash[:12]}; train it again (rule train_fgunet)"
        )
    labels, placement = training_patches(
        plan.tiles,
        plan.codes,
        size=plan.patch_size,
        jitter=plan.jitter,
        avoid_test_context=plan.avoid_test_context,
    )
    starts = placement.starts(seed=plan.seed, stream=TRAINING_STREAM, count=metadata["patches"])
    tiles = (
        _strips(tile_labels, path, plan.codes)
        for tile_labels, path in zip(labels, paths_to_polygon, strict=True)
    )
    return seen_in_patches(zip(starts, tiles, strict=True), size=plan.patch_size)


def _strips(
    labels: Labels, path_to_polygon: str | os.PathLike[str], codes: Sequence[int]
) -> Iterator[Strip]:
    grids = ("the labels", labels.grid), (str(path_to_polygon), read_grid(path_to_polygon))
    code_of = np.zeros(256, np.uint8)
    code_of[: len(codes)] = codes
    for strip in strips(require_same_grid(grids).shape):
        yield strip, read_band(path_to_polygon, strip), code_of[labels.read(strip)]
