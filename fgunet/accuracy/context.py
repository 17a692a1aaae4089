"""Test pixels counted by polygon and by what may matter to accuracy.

What may matter is a covariate of each pixel, and is counted in bins: lower edge <= value < upper
edge, the last edge included. The edges are fixed, so that runs can be compared.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.errors import AccuracyError
from fgunet.files import atomic_path
from fgunet.nomenclature import NODATA_CODE, NODATA_CONFIDENCE

BORDER, CLEAR_DAYS, CONFIDENCE = "border_m", "clear_days", "confidence_percent"
TRAINING_DISTANCE = "training_distance_m"

EDGES: dict[str, tuple[float, ...]] = {
    BORDER: (0.0, 10, 20, 30, 50, np.inf),
    CLEAR_DAYS: (0.0, 5, 10, 15, 20, 25, 30, 40, 50, 75, 100, np.inf),
    TRAINING_DISTANCE: (0.0, 10, 50, 100, 250, 500, 1000, 2000, np.inf),
    CONFIDENCE: (0.0, 10, 20, 30, 40, 50, 60, 70, 80, 90, 100),
}
"""Edges of the bins of each covariate: m from the border of the pixel's own polygon, days that it
was clear, m from its polygon to the nearest training polygon, percent of the map's confidence."""

Block = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], Mapping[str, NDArray[Any]]]
"""Polygon identifiers, reference codes, map codes, confidence in percent, and covariates by name,
of the same pixels (any shape)."""

_KEY = ["covariate", "polygon_id", "code", "bin"]
_DTYPES: dict[str, Any] = {
    "covariate": pd.CategoricalDtype(list(EDGES)),
    "polygon_id": "uint32",
    "code": "uint8",
    "bin": "uint8",
    "pixels": "int64",
    "right": "int64",
    "unmapped": "int64",
    "confidence": "int64",
}
_COUNTS = ["pixels", "right", "unmapped", "confidence"]


def bin_of(values: NDArray[Any], covariate: str) -> NDArray[np.uint8]:
    """The bin (0, 1, ...) of each value of a covariate.

    Raises
    ------
    AccuracyError
        If a value lies outside of all bins, or is not a number.
    """
    edges = EDGES[covariate]
    # NaN is in no bin: no comparison with it is true.
    outside = ~((values >= edges[0]) & (values <= edges[-1]))
    if outside.any():
        raise AccuracyError(
            f"{covariate} is {values[outside].flat[0]} in {np.count_nonzero(outside)} places; "
            f"it must lie within {edges[0]} and {edges[-1]}"
        )
    return np.searchsorted(edges[1:-1], values, side="right").astype(np.uint8)


def count_context(blocks: Iterable[Block], *, tile: str) -> pd.DataFrame:
    """Count blocks of test pixels by polygon and bin of each covariate.

    Parameters
    ----------
    blocks : iterable of (polygon ids, reference codes, map codes, confidence, covariates)
        Arrays of one shape, one block at a time in memory: codes uint8 with 0 for nodata,
        confidence uint8 in percent with 255 for nodata, covariates by their names in `EDGES`.
        Pixels without reference code are passed over; the caller masks what is not in the test
        split. The confidence is a covariate too, of the pixels that have a class.
    tile : str
        Name that errors tell.

    Returns
    -------
    pandas.DataFrame
        One row a covariate, polygon and bin that has pixels: covariate, polygon_id, code (of the
        reference), bin; pixels (that have a class in the map), right (of them, those of the
        reference class), unmapped (pixels that the map leaves out) and confidence (percent, summed
        over the pixels). Independent of the order and the size of the blocks; empty without
        reference.

    Raises
    ------
    AccuracyError
        If shapes differ, a reference pixel belongs to no polygon (0), a polygon has two reference
        codes, a pixel has a class and no confidence, or a covariate lies outside of its bins.
    """
    return add_up([_of_block(block, tile) for block in blocks], tile)


def add_up(tables: Sequence[pd.DataFrame], tile: str = "pooled") -> pd.DataFrame:
    """Add up what `count_context` counted, tile by tile for instance.

    A polygon in two tiles was mapped twice, and both maps count; it stays one polygon.

    Raises
    ------
    AccuracyError
        If a polygon has two reference codes.
    """
    together = pd.concat([pd.DataFrame(columns=list(_DTYPES)).astype(_DTYPES), *tables])
    summed = together.groupby(_KEY, as_index=False, observed=True)[_COUNTS].sum().astype(_DTYPES)
    codes = summed[["polygon_id", "code"]].drop_duplicates()
    twice = codes.loc[codes["polygon_id"].duplicated(), "polygon_id"]
    if len(twice):
        raise AccuracyError(
            f"{tile}: polygons {sorted(twice)[:10]} have more than one reference code; "
            "polygon identifiers must be unique in the whole run"
        )
    return summed


def _of_block(block: Block, tile: str) -> pd.DataFrame:
    polygons, reference, mapped, confidence, covariates = block
    shapes = {np.shape(values) for values in (*block[:4], *covariates.values())}
    if len(shapes) > 1:
        raise AccuracyError(f"{tile}: a block's arrays must cover the same pixels, not {shapes}")
    here = reference != NODATA_CODE
    pixels = _pixels(polygons[here], reference[here], mapped[here], confidence[here], tile)
    of_pixels = {name: values[here] for name, values in covariates.items()}
    tables = [_count(pixels, name, values) for name, values in of_pixels.items()]
    with_class = pixels[pixels["pixels"] > 0]
    percent = with_class["confidence"].to_numpy()
    return pd.concat([*tables, _count(with_class, CONFIDENCE, percent)])


def _pixels(
    ids: NDArray[Any], code: NDArray[Any], mapped: NDArray[Any], confidence: NDArray[Any], tile: str
) -> pd.DataFrame:
    """What is counted, a row a pixel."""
    has_class = mapped != NODATA_CODE
    if lost := np.count_nonzero(ids == 0):
        raise AccuracyError(
            f"{tile}: {lost} reference pixels lie in no polygon; "
            "rasterise codes and polygons from the same layer"
        )
    if lost := np.count_nonzero(has_class & (confidence == NODATA_CONFIDENCE)):
        raise AccuracyError(
            f"{tile}: {lost} test pixels have a class and no confidence; "
            "class map and confidence must come from one classification"
        )
    return pd.DataFrame(
        {
            "polygon_id": ids,
            "code": code,
            "pixels": has_class.astype(np.int64),
            "right": (mapped == code).astype(np.int64),
            "unmapped": (~has_class).astype(np.int64),
            "confidence": np.where(has_class, confidence, 0).astype(np.int64),
        }
    )


def _count(pixels: pd.DataFrame, covariate: str, values: NDArray[Any]) -> pd.DataFrame:
    binned = pixels.assign(covariate=covariate, bin=bin_of(values, covariate))
    summed = binned.groupby(_KEY, as_index=False)[_COUNTS].sum()
    return summed.astype(_DTYPES)[list(_DTYPES)]


def by_training_distance(context: pd.DataFrame, distances: pd.DataFrame) -> pd.DataFrame:
    """The counts by the distance from the polygon to the nearest training polygon.

    Parameters
    ----------
    context : pandas.DataFrame
        Counts by any one covariate that all test pixels have, as `count_context` gives them.
    distances : pandas.DataFrame
        polygon_id, distance_m of the test polygons.

    Returns
    -------
    pandas.DataFrame
        As `context`, of the covariate "training_distance_m".

    Raises
    ------
    AccuracyError
        If a polygon has no distance.
    """
    known = distances.set_index("polygon_id")["distance_m"]
    unknown = np.setdiff1d(context["polygon_id"], known.index)
    if unknown.size:
        raise AccuracyError(
            f"test polygons {unknown[:10].tolist()} ({unknown.size} in all) have no distance to "
            "the training; rasterise the polygons that the distances are measured of"
        )
    metres = known.loc[context["polygon_id"]].to_numpy()
    bins = bin_of(metres, TRAINING_DISTANCE)
    return add_up([context.assign(covariate=TRAINING_DISTANCE, bin=bins).astype(_DTYPES)])


def write_context(path: str | os.PathLike[str], context: pd.DataFrame) -> None:
    """Write what `count_context` counted as a Parquet file, atomically."""
    with atomic_path(path) as part:
        context.to_parquet(part, index=False)


def read_context(paths: Sequence[str | os.PathLike[str]], covariate: str) -> pd.DataFrame:
    """The counts by one covariate of the files of several tiles, added up.

    Raises
    ------
    AccuracyError
        If a file is no such table, or a polygon has two reference codes.
    """
    return add_up([_read(path, covariate) for path in paths])


def _read(path: str | os.PathLike[str], covariate: str) -> pd.DataFrame:
    try:
        table = pd.read_parquet(
            path, columns=list(_DTYPES), filters=[("covariate", "==", covariate)]
        )
        return table.astype(_DTYPES)
    except (OSError, ValueError) as error:
        raise AccuracyError(
            f"{path} is no table of test pixels by their context "
            f"({type(error).__name__}: {error}); remove it and run again"
        ) from error
