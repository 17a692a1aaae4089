"""Whole squares on one side: a split that is independent in space."""

from hashlib import blake2b
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.reference.ground import boxes, cells_of, cut_by_squares
from fgunet.reference.sides import TEST, TRAINING, VALIDATION, SplitOptions
from fgunet.reference.tally import as_counts

# The additive recurrence R2 of M. Roberts, "The unreasonable effectiveness of quasirandom
# sequences" (2018): powers of the plastic number spread points evenly over a lattice.
_PLASTIC = 1.324717957244746
_STEPS = np.array([1 / _PLASTIC, 1 / _PLASTIC**2])


def side_of_squares(cell: NDArray[np.int64], options: SplitOptions) -> NDArray[np.uint8]:
    """Sides of whole squares, evenly spread over the ground.

    Parameters
    ----------
    cell : numpy.ndarray
        (n, 2), int64: column and row of squares.
    options : SplitOptions
        Seed and shares.

    Returns
    -------
    numpy.ndarray
        (n,), uint8: 1..3. A function of seed, shares and square alone.
    """
    digest = blake2b(f"blocks {options.seed}".encode(), digest_size=8).digest()
    offset = int.from_bytes(digest, "little") / 2**64
    # Not a matrix product: its last bit may depend on how many squares there are.
    place = (offset + cell[:, 0] * _STEPS[0] + cell[:, 1] * _STEPS[1]) % 1.0
    rest = options.test_share + (1 - options.test_share) * options.validation_share
    return np.select(
        [place < options.test_share, place < rest], [TEST, VALIDATION], TRAINING
    ).astype(np.uint8)


def cut_to_blocks(
    frame: gpd.GeoDataFrame, options: SplitOptions
) -> tuple[gpd.GeoDataFrame, dict[str, Any]]:
    """Cut polygons so that each feature lies on the side that holds most of its ground.

    Sides keep at least `min_distance` of each other: ground nearer than 1 / sqrt(2) of it to a
    square of another side is given up, so that the distance holds across corners too.

    Parameters
    ----------
    frame : geopandas.GeoDataFrame
        Fused polygons with `feature`, geometry in metres.
    options : SplitOptions
        Seed, shares, `square_m` and `min_distance`.

    Returns
    -------
    frame : geopandas.GeoDataFrame
        With the column `side` (1..3); polygons of which nothing is left are gone.
    given_up : dict
        Polygons and hectares `cut` away, and polygons and hectares `lost` as a whole.
    """
    geometry = frame.geometry.to_numpy()
    before = shapely.area(geometry)
    piece, owner, cell = cut_by_squares(geometry, options.square_m)
    side = side_of_squares(cell, options)
    wanted = _side_of_features(frame["feature"].to_numpy()[owner], side, shapely.area(piece))
    kept = side == wanted
    rest = _joined(piece[kept], owner[kept], geometry)
    of_polygon = np.zeros(len(frame), dtype=np.uint8)
    of_polygon[owner[kept]] = side[kept]
    if options.min_distance > 0:
        rest = _withdrawn(rest, of_polygon, options)
    after = shapely.area(rest)
    left = after > 0
    cut = left & (after < before * (1 - 1e-12))
    given_up = {
        "cut": as_counts(int(cut.sum()), float((before - after)[cut].sum())),
        "lost": as_counts(int((~left).sum()), float(before[~left].sum())),
    }
    frame = frame.assign(side=of_polygon).set_geometry(gpd.GeoSeries(rest, crs=frame.crs))
    return frame[left].reset_index(drop=True), given_up


def _side_of_features(
    feature: NDArray[np.int64], side: NDArray[np.uint8], area: NDArray[np.float64]
) -> NDArray[np.uint8]:
    """For each piece the side that holds most of its feature, the lower where two hold as much."""
    features, place = np.unique(feature, return_inverse=True)
    ground = np.bincount(place * 4 + side, weights=area, minlength=4 * len(features))
    most: NDArray[np.intp] = ground.reshape(-1, 4).argmax(axis=1)
    return most.astype(np.uint8)[place]


def _joined(
    piece: NDArray[np.object_], owner: NDArray[np.int64], geometry: NDArray[np.object_]
) -> NDArray[np.object_]:
    """The pieces of each polygon as one geometry; an empty one where there is none."""
    result = np.full(len(geometry), shapely.Polygon(), dtype=object)
    places, start, count = np.unique(owner, return_index=True, return_counts=True)
    single = count == 1
    result[places[single]] = piece[start[single]]
    for place, first, n in zip(places[~single], start[~single], count[~single], strict=True):
        result[place] = shapely.union_all(piece[first : first + n])
    return result


def _withdrawn(
    geometry: NDArray[np.object_], side: NDArray[np.uint8], options: SplitOptions
) -> NDArray[np.object_]:
    """Polygons without the ground near squares of other sides."""
    margin = options.min_distance / np.sqrt(2)
    real = np.flatnonzero(side)
    bounds = shapely.bounds(geometry[real]) + np.array([-margin, -margin, margin, margin])
    owner, cell = cells_of(bounds, options.square_m)
    owner = real[owner]
    foreign = side_of_squares(cell, options) != side[owner]
    owner, near = owner[foreign], boxes(cell[foreign], options.square_m, margin)
    result = geometry.copy()
    places, start, count = np.unique(owner, return_index=True, return_counts=True)
    for place, first, n in zip(places, start, count, strict=True):
        result[place] = shapely.difference(
            result[place], shapely.union_all(near[first : first + n])
        )
    return result
