"""Units of the split: polygons that must stay on one side."""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from fgunet.reference.chunks import added_up

_CHUNK = 100_000


@dataclass(frozen=True)
class Units:
    """Groups of polygons that stay together.

    Attributes
    ----------
    of : numpy.ndarray
        (polygon,), int64: place of each polygon's unit.
    number : numpy.ndarray
        (unit,), int64, rising: the least feature number of the unit, by which it draws.
    code : numpy.ndarray
        (unit,), int64: the class with most of its area.
    area : numpy.ndarray
        (unit,), float64, m2.
    """

    of: NDArray[np.int64]
    number: NDArray[np.int64]
    code: NDArray[np.int64]
    area: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.number)


def units_of(
    geometry: NDArray[np.object_],
    feature: NDArray[np.int64],
    code: NDArray[np.int64],
    *,
    min_distance: float,
) -> Units:
    """Join polygons of one feature, and polygons closer to one another than a distance.

    Closeness is handed on: a chain of close polygons is one unit.

    Parameters
    ----------
    geometry : numpy.ndarray
        (polygon,), object: polygons in one metric coordinate system.
    feature : numpy.ndarray
        (polygon,), int64: number of the feature that a polygon is a part of.
    code : numpy.ndarray
        (polygon,), int64: class codes.
    min_distance : float
        In metres; 0 joins parts of one feature alone.
    """
    numbers, node = np.unique(feature, return_inverse=True)
    if min_distance > 0:
        first, second = close_pairs(geometry, min_distance)
        links = coo_matrix(
            (np.ones(len(first), dtype=bool), (node[first], node[second])),
            shape=(len(numbers), len(numbers)),
        )
        _, component = connected_components(links, directed=False)
        # Numbers rise, so the first node of a component has its least number.
        _, lead, component = np.unique(component, return_index=True, return_inverse=True)
        order = np.argsort(lead)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        node, numbers = rank[component][node], numbers[lead[order]]
    area = shapely.area(geometry)
    return Units(
        of=node.astype(np.int64),
        number=numbers,
        code=_main_class(node, code, area, len(numbers)),
        area=added_up(node, area, len(numbers)),
    )


def close_pairs(
    geometry: NDArray[np.object_], distance: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of geometries (first < second) closer to one another than `distance` metres."""
    tree = shapely.STRtree(geometry)
    found = []
    for start in range(0, len(geometry), _CHUNK):
        first, second = tree.query(
            geometry[start : start + _CHUNK], predicate="dwithin", distance=distance
        )
        first = first + start
        once = first < second
        first, second = first[once], second[once]
        near = shapely.distance(geometry[first], geometry[second]) < distance
        found.append(np.stack([first[near], second[near]]))
    pairs = np.concatenate([np.zeros((2, 0), dtype=np.int64), *found], axis=1)
    return pairs[0], pairs[1]


def _main_class(
    unit: NDArray[np.int64], code: NDArray[np.int64], area: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """The class of most ground of each unit, the lower code where two have as much."""
    kinds, index = np.unique(np.stack([unit, code], axis=1), axis=0, return_inverse=True)
    ground = np.bincount(index.reshape(-1), weights=area)
    order = np.lexsort((kinds[:, 1], -ground, kinds[:, 0]))
    owner, first = np.unique(kinds[order, 0], return_index=True)
    result = np.zeros(count, dtype=np.int64)
    result[owner] = kinds[order[first], 1]
    return result
