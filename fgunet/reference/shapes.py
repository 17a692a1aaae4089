"""Geometry of reference polygons: parts, buffers, erosion, small pieces."""

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

Geometries = NDArray[np.object_]

_COLLECTION = int(shapely.GeometryType.GEOMETRYCOLLECTION)


def repaired(geometries: Geometries) -> tuple[Geometries, int]:
    """Valid versions of `geometries` (n,) and how many of them were not valid."""
    broken = ~shapely.is_valid(geometries)
    if not broken.any():
        return geometries, 0
    result = geometries.copy()
    # "structure" mends a ring as a whole; "linework" would turn overlaps of a ring into holes.
    result[broken] = shapely.make_valid(
        geometries[broken], method="structure", keep_collapsed=False
    )
    return result, int(broken.sum())


def parts_of(geometries: Geometries) -> tuple[Geometries, NDArray[np.int64], NDArray[np.int64]]:
    """Single parts of geometries.

    Parameters
    ----------
    geometries : numpy.ndarray
        (n,), object; normalised, so that parts come in an order of their own.

    Returns
    -------
    parts : numpy.ndarray
        (m,), object: parts of the highest dimension of their geometry.
    owner : numpy.ndarray
        (m,), int64: index of the geometry a part comes from, rising.
    number : numpy.ndarray
        (m,), int64: place of the part within its geometry, from 0.
    """
    dimension = shapely.get_dimensions(geometries)
    parts, owner = shapely.get_parts(geometries, return_index=True)
    # A collection may hold multi-part geometries, hence a second time.
    parts, outer = shapely.get_parts(parts, return_index=True)
    owner = owner[outer].astype(np.int64)
    kept = shapely.get_dimensions(parts) == dimension[owner]
    parts, owner = parts[kept], owner[kept]
    first = np.searchsorted(owner, owner, side="left")
    return parts, owner, np.arange(len(owner), dtype=np.int64) - first


def count_lesser(geometries: Geometries) -> int:
    """Number of parts of `geometries` (n,) that are of a lower dimension than the others.

    Only a collection can have them: `parts_of` and `uniform` leave them out.
    """
    mixed = geometries[shapely.get_type_id(geometries) == _COLLECTION]
    parts, owner = shapely.get_parts(mixed, return_index=True)
    parts, outer = shapely.get_parts(parts, return_index=True)
    dimension = shapely.get_dimensions(mixed)[owner[outer]]
    return int((shapely.get_dimensions(parts) < dimension).sum())


def uniform(geometries: Geometries) -> Geometries:
    """`geometries` (n,), with each collection as the union of its parts of highest dimension."""
    result = geometries.copy()
    for one in np.flatnonzero(shapely.get_type_id(geometries) == _COLLECTION):
        parts, _, _ = parts_of(geometries[one : one + 1])
        result[one] = shapely.union_all(parts)
    return result


def widened(geometries: Geometries, distance: NDArray[np.float64] | float) -> Geometries:
    """`geometries` (n,) grown by `distance` (n,) m on each side; lines end flat."""
    distance = np.broadcast_to(distance, geometries.shape)
    result = np.asarray(shapely.buffer(geometries, distance, cap_style="flat"), dtype=object)
    # With flat ends nothing would be left of a point.
    points = shapely.get_dimensions(geometries) == 0
    result[points] = shapely.buffer(geometries[points], distance[points])
    return result


def eroded(geometries: Geometries, distance: float) -> Geometries:
    """`geometries` (n,) shrunk by `distance` m; empty where nothing is left."""
    return np.asarray(shapely.buffer(geometries, -distance), dtype=object)


def without_small_pieces(geometries: Geometries, minimum_area: float) -> Geometries:
    """Polygons without their pieces smaller than `minimum_area`.

    Parameters
    ----------
    geometries : numpy.ndarray
        (n,), object: (multi)polygons, collections or empty geometries.
    minimum_area : float
        Least area of a piece, in the square of the coordinates' unit.

    Returns
    -------
    numpy.ndarray
        (n,), object: polygons, or multipolygons where several pieces are left; an empty
        polygon where none is.
    """
    pieces, owner = shapely.get_parts(geometries, return_index=True)
    # Lines and points left over by an intersection have no area and go too.
    area = shapely.area(pieces)
    return with_pieces(geometries, pieces, owner, (area >= minimum_area) & (area > 0))


def with_pieces(
    geometries: Geometries,
    pieces: Geometries,
    owner: NDArray[np.int64],
    kept: NDArray[np.bool_],
) -> Geometries:
    """Geometries of which only some pieces are kept.

    Parameters
    ----------
    geometries : numpy.ndarray
        (n,), object: (multi)polygons, collections or empty geometries.
    pieces : numpy.ndarray
        (m,), object: their pieces.
    owner : numpy.ndarray
        (m,), int64, rising: index of the geometry a piece is of.
    kept : numpy.ndarray
        (m,), bool: pieces to keep; all of them polygons.

    Returns
    -------
    numpy.ndarray
        (n,), object: as they were where all pieces are kept; else polygons, or multipolygons
        where several pieces are left, or an empty polygon where none is.
    """
    result = np.asarray(geometries, dtype=object).copy()
    changed = np.zeros(len(result), dtype=bool)
    changed[owner[~kept]] = True
    result[changed] = shapely.Polygon()
    mended = kept & changed[owner]
    if mended.any():
        groups, index = np.unique(owner[mended], return_inverse=True)
        joined: Any = shapely.multipolygons(pieces[mended], indices=index)
        single = shapely.get_num_geometries(joined) == 1
        result[groups] = np.where(single, shapely.get_geometry(joined, 0), joined)
    return result
