"""Cutting polygons by those that come before them, so that no two overlap."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from fgunet.logs import Progress
from fgunet.reference.chunks import added_up, in_chunks
from fgunet.reference.difference import ROUNDING_M2, cut_by_many
from fgunet.reference.overlaps import Pairs
from fgunet.reference.pieces import GREATEST_VERTICES, in_pieces
from fgunet.reference.remains import Remains, remains

COVERED = "less than the minimum share left after cutting"
TOO_SMALL = "smaller than the minimum area after cutting"

_CHUNK = 1_000


class Cut(NamedTuple):
    """What is left of polygons.

    Attributes
    ----------
    geometry : numpy.ndarray
        (n,), object: the cut polygons; those that were dropped as they were before.
    reason : numpy.ndarray
        (n,), object: why a polygon was dropped; empty text where it was kept.
    small, thin : numpy.ndarray
        (n,), float64: ground that polygons that are kept gave up with small pieces, and in
        squares where too small a share was left, in m2.
    """

    geometry: NDArray[np.object_]
    reason: NDArray[np.object_]
    small: NDArray[np.float64]
    thin: NDArray[np.float64]


class Limits(NamedTuple):
    """What must be left of a polygon: least area of a piece (m2), least share, squares (m)."""

    minimum_area: float
    minimum_share: float
    square_m: float


def cut(geometry: NDArray[np.object_], pairs: Pairs, limits: Limits, *, threads: int = 1) -> Cut:
    """Take from each polygon what polygons before it keep.

    Polygons are cut in turns: first those that only uncut ones lie before, then those that only
    these and uncut ones lie before, and so on.

    Parameters
    ----------
    geometry : numpy.ndarray
        (n,), object: valid polygons in their order; the first keeps all its ground.
    pairs : Pairs
        Those that overlap.
    limits : Limits
        What must be left.
    threads : int
        Threads; the result does not depend on them.
    """
    result = Cut(
        geometry.copy(),
        np.full(len(geometry), "", dtype=object),
        np.zeros(len(geometry)),
        np.zeros(len(geometry)),
    )
    cutters = _Cutters(result.geometry)
    lost = np.zeros(len(geometry))
    progress = Progress("overlapping polygons", len(np.unique(pairs.second)))
    for turn in _turns(pairs, len(geometry)):
        progress.advance(len(np.unique(turn.second)))
        stays = result.reason[turn.first] == ""
        first, second, shared = turn.first[stays], turn.second[stays], turn.area[stays]
        polygons, place = np.unique(second, return_inverse=True)
        cutter, owner = cutters.of(first, place, polygons)
        least = added_up(place, np.maximum(shared - lost[first], 0), len(polygons))
        most = added_up(place, shared, len(polygons))
        task = _Task(polygons, cutter, owner, least, most)
        _cut_turn(result, task, limits, threads)
        lost[polygons] = shapely.area(geometry[polygons]) - shapely.area(result.geometry[polygons])
    return result


def _turns(pairs: Pairs, count: int) -> Iterator[Pairs]:
    """Pairs turn by turn; within one, no `second` is a `first`."""
    if not len(pairs.second):
        return
    level = [0] * count
    # Pairs are sorted by second: the level of a first is known when it is asked for.
    for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        if level[first] >= level[second]:
            level[second] = level[first] + 1
    turn = np.array(level, dtype=np.int64)[pairs.second]
    order = np.argsort(turn, kind="stable")
    for chosen in np.split(order, np.flatnonzero(np.diff(turn[order])) + 1):
        yield Pairs(pairs.first[chosen], pairs.second[chosen], pairs.area[chosen])


class _Cutters:
    """What cuts a polygon: whole small polygons, and of large ones the pieces that are near."""

    def __init__(self, geometry: NDArray[np.object_]) -> None:
        self._geometry = geometry
        self._large = shapely.get_num_coordinates(geometry) > GREATEST_VERTICES
        self._pieces: dict[int, NDArray[np.object_]] = {}

    def of(
        self, first: NDArray[np.int64], place: NDArray[np.int64], polygons: NDArray[np.int64]
    ) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        """Cutters (m,), and the place (m,), rising, of what they cut, from pairs.

        `place` (pair,) leads into `polygons`, the numbers of those that are cut.
        """
        large = self._large[first]
        near, near_place = self._near(first[large], place[large], polygons)
        cutter = np.concatenate([self._geometry[first[~large]], near])
        owner = np.concatenate([place[~large], near_place])
        order = np.argsort(owner, kind="stable")
        return cutter[order], owner[order]

    def _near(
        self, first: NDArray[np.int64], place: NDArray[np.int64], polygons: NDArray[np.int64]
    ) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
        if not len(first):
            return np.zeros(0, dtype=object), place
        large = np.unique(first)
        pieces = [self._pieces_of(one) for one in large.tolist()]
        piece = np.concatenate(pieces)
        whole = np.repeat(large, [len(part) for part in pieces])
        asked = np.unique(place)
        found, near = shapely.STRtree(piece).query(self._geometry[polygons[asked]])
        # Of the pieces near a polygon, those of the large ones that it was paired with.
        count = len(self._geometry)
        paired = np.isin(asked[found] * count + whole[near], place * count + first)
        order = np.lexsort((near[paired], found[paired]))
        return piece[near[paired][order]], asked[found[paired][order]]

    def _pieces_of(self, one: int) -> NDArray[np.object_]:
        if one not in self._pieces:
            self._pieces[one], _ = in_pieces(self._geometry[one : one + 1])
        return self._pieces[one]


class _Task(NamedTuple):
    """Polygons to cut; cutters with the places (rising) of what they cut; bounds of what they take.

    The last in m2, by polygon.
    """

    polygons: NDArray[np.int64]
    cutter: NDArray[np.object_]
    owner: NDArray[np.int64]
    least: NDArray[np.float64]
    most: NDArray[np.float64]


def _cut_turn(result: Cut, task: _Task, limits: Limits, threads: int) -> None:
    """Do a task; `result` is changed in place."""
    polygons = task.polygons
    start = np.searchsorted(task.owner, np.arange(len(polygons) + 1))

    def work(chunk: slice) -> tuple[NDArray[np.object_], Remains]:
        whole = result.geometry[polygons[chunk]]
        own = slice(start[chunk.start], start[chunk.stop])
        rest = cut_by_many(
            whole,
            task.cutter[own],
            task.owner[own] - chunk.start,
            least=task.least[chunk],
            most=task.most[chunk],
        )
        return rest, remains(whole, rest, **limits._asdict())

    done = in_chunks(work, len(polygons), size=_CHUNK, threads=threads)
    for number, (rest, left) in enumerate(done):
        chosen = polygons[number * _CHUNK : (number + 1) * _CHUNK]
        gone = shapely.is_empty(left.geometry)
        before, after = shapely.area(result.geometry[chosen]), shapely.area(rest)
        enough = (after > ROUNDING_M2) & (after >= limits.minimum_share * before - ROUNDING_M2)
        result.reason[chosen[gone]] = np.where(enough, TOO_SMALL, COVERED)[gone]
        kept = chosen[~gone]
        result.geometry[kept] = left.geometry[~gone]
        result.small[kept], result.thin[kept] = left.small[~gone], left.thin[~gone]
