"""Confusions between reference and map, counted by class and by polygon."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import AccuracyError
from fgunet.nomenclature import NODATA_CODE

Block = tuple[NDArray[Any], NDArray[Any], NDArray[Any]]
"""Polygon identifiers, reference codes and map codes of the same pixels (any shape)."""


def count_confusion(
    reference_codes: NDArray[Any], map_codes: NDArray[Any], codes: Sequence[int]
) -> NDArray[np.int64]:
    """Count the pixels of each pair of reference class and mapped class.

    Parameters
    ----------
    reference_codes, map_codes : ndarray of uint8
        Class codes of the same pixels, any shape; 0 is nodata. Pixels without reference, and
        pixels that the map leaves out, are not in the matrix: count the latter with
        `count_unmapped`.
    codes : sequence of int
        Codes of the nomenclature, in the order of rows and columns.

    Returns
    -------
    ndarray of int64, (n, n)
        Pixels; rows reference, columns map.

    Raises
    ------
    AccuracyError
        If the shapes differ or a code is not in `codes`.
    """
    reference, mapped = _same_shape(reference_codes, map_codes)
    both = (reference != NODATA_CODE) & (mapped != NODATA_CODE)
    rows = _places(reference[both], codes, "reference")
    columns = _places(mapped[both], codes, "map")
    n = len(codes)
    return np.bincount(rows * n + columns, minlength=n * n).astype(np.int64).reshape(n, n)


def count_unmapped(reference_codes: NDArray[Any], map_codes: NDArray[Any]) -> int:
    """Count the pixels that have a reference code and no mapped code (0).

    Raises
    ------
    AccuracyError
        If the shapes differ.
    """
    reference, mapped = _same_shape(reference_codes, map_codes)
    return int(np.count_nonzero((reference != NODATA_CODE) & (mapped == NODATA_CODE)))


def _same_shape(reference: NDArray[Any], mapped: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    if np.shape(reference) != np.shape(mapped):
        raise AccuracyError(
            f"reference and map must cover the same pixels; their shapes are "
            f"{np.shape(reference)} and {np.shape(mapped)}"
        )
    return np.asarray(reference).ravel(), np.asarray(mapped).ravel()


def _places(values: NDArray[Any], codes: Sequence[int], what: str) -> NDArray[np.int64]:
    """Index in `codes` of each value."""
    table = np.full(256, -1, dtype=np.int64)
    table[list(codes)] = np.arange(len(codes))
    places: NDArray[np.int64] = table[values]
    if np.any(places < 0):
        unknown = np.unique(values[places < 0]).tolist()
        raise AccuracyError(
            f"the {what} holds the codes {unknown}, the nomenclature {list(codes)}; "
            f"use the nomenclature that the {what} was made with"
        )
    return places


@dataclass(frozen=True)
class Confusion:
    """Counts of one tile (or of several pooled) and one method, kept by polygon.

    Attributes
    ----------
    tile, method : str
        What was counted; tile is "pooled" for several.
    codes : tuple of int
        Codes of the nomenclature.
    polygon_ids : ndarray of int64, (p,)
        Test polygons, rising and unique.
    references : ndarray of int64, (p,)
        Reference class of each polygon, as its place in `codes`.
    counts : ndarray of int64, (p, n)
        Pixels of each polygon by mapped class, in the order of `codes`.
    unmapped_counts : ndarray of int64, (p,)
        Pixels of each polygon that the map leaves without class.
    """

    tile: str
    method: str
    codes: tuple[int, ...]
    polygon_ids: NDArray[np.int64]
    references: NDArray[np.int64]
    counts: NDArray[np.int64]
    unmapped_counts: NDArray[np.int64]

    @property
    def matrix(self) -> NDArray[np.int64]:
        """Pixels (n, n); rows reference, columns map."""
        n = len(self.codes)
        matrix = np.zeros((n, n), dtype=np.int64)
        np.add.at(matrix, self.references, self.counts)
        return matrix

    @property
    def unmapped(self) -> int:
        """Reference pixels without mapped class."""
        return int(self.unmapped_counts.sum())

    def by_majority(self) -> "Confusion":
        """The same polygons, each counted once: by the class most of its mapped pixels have.

        Its `matrix` holds polygons instead of pixels. A polygon without mapped pixel is unmapped.
        """
        votes = majority_votes(self.references, self.counts)
        return replace(self, counts=votes, unmapped_counts=1 - votes.sum(axis=1))

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; `from_dict` reads it. Zero counts are left out.

        What is derived stands beside it for other readers: `confusion` in pixels, and
        `polygon_confusion` with `unmapped_polygons` in polygons (`by_majority`).
        """
        keys = [str(code) for code in self.codes]
        polygons = []
        for place in range(self.polygon_ids.size):
            row = self.counts[place]
            counts = {keys[column]: int(row[column]) for column in np.flatnonzero(row)}
            if self.unmapped_counts[place]:
                counts[str(NODATA_CODE)] = int(self.unmapped_counts[place])
            polygons.append(
                {
                    "polygon_id": int(self.polygon_ids[place]),
                    "code": self.codes[self.references[place]],
                    "counts": counts,
                }
            )
        majority = self.by_majority()
        return {
            "tile": self.tile,
            "method": self.method,
            "codes": list(self.codes),
            "confusion": self.matrix.tolist(),
            "unmapped": self.unmapped,
            "polygon_confusion": majority.matrix.tolist(),
            "unmapped_polygons": majority.unmapped,
            "polygons": polygons,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "Confusion":
        """The confusion that `to_dict` wrote.

        Raises
        ------
        AccuracyError
            If a polygon holds a code that is not in the file's codes.
        """
        codes = tuple(int(code) for code in value["codes"])
        place = {code: index for index, code in enumerate(codes)}
        polygons = value["polygons"]
        counts = np.zeros((len(polygons), len(codes)), dtype=np.int64)
        unmapped = np.zeros(len(polygons), dtype=np.int64)
        references = np.zeros(len(polygons), dtype=np.int64)
        try:
            for row, polygon in enumerate(polygons):
                references[row] = place[polygon["code"]]
                for code, pixels in polygon["counts"].items():
                    if int(code) == NODATA_CODE:
                        unmapped[row] = pixels
                    else:
                        counts[row, place[int(code)]] = pixels
        except KeyError as error:
            raise AccuracyError(
                f"the confusion of {value['method']} on {value['tile']} holds the code {error}, "
                f"which is not in its codes {list(codes)}; make the file again"
            ) from error
        ids = np.array([polygon["polygon_id"] for polygon in polygons], dtype=np.int64)
        return cls(value["tile"], value["method"], codes, ids, references, counts, unmapped)


def majority_votes(references: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """One vote of each polygon for the class that most of its mapped pixels have.

    A tie never goes to the reference class: a polygon is right where its class has more pixels
    than any other. Of several other classes with as many pixels the first is taken.

    Parameters
    ----------
    references : ndarray of int64, (p,)
        Reference class of each polygon, 0..n-1.
    counts : ndarray of int64, (p, n)
        Pixels of each polygon by mapped class.

    Returns
    -------
    ndarray of int64, (p, n)
        1 at the class, 0 elsewhere; all 0 without a mapped pixel.
    """
    # Twice the pixels, less one of the reference class: it loses ties and no others.
    standing = 2 * counts
    standing[np.arange(references.size), references] -= 1
    mapped = counts.any(axis=1)
    votes = np.zeros_like(counts)
    votes[mapped, standing.argmax(axis=1)[mapped]] = 1
    return votes


def confuse(blocks: Iterable[Block], *, tile: str, method: str, codes: Sequence[int]) -> Confusion:
    """Count blocks of test pixels by polygon and mapped class.

    Parameters
    ----------
    blocks : iterable of (polygon ids, reference codes, map codes)
        Arrays of one shape, one block at a time in memory. Pixels without reference code (0) are
        passed over; the caller masks what is not in the test split.
    tile, method : str
        Names that the result carries.
    codes : sequence of int
        Codes of the nomenclature.

    Returns
    -------
    Confusion
        Independent of the order and the size of the blocks.

    Raises
    ------
    AccuracyError
        If shapes differ, a code is unknown, a reference pixel belongs to no polygon (0), or a
        polygon has two reference codes.
    """
    n = len(codes)
    keys: list[NDArray[np.int64]] = []
    pixels: list[NDArray[np.int64]] = []
    for polygons, reference, mapped in blocks:
        flat_reference, flat_map = _same_shape(reference, mapped)
        flat_polygons, _ = _same_shape(polygons, mapped)
        here = flat_reference != NODATA_CODE
        ids = flat_polygons[here].astype(np.int64)
        if np.any(ids == 0):
            raise AccuracyError(
                f"{tile}: {np.count_nonzero(ids == 0)} reference pixels lie in no polygon; "
                "rasterise codes and polygons from the same layer"
            )
        rows = _places(flat_reference[here], codes, "reference")
        columns = _places(flat_map[here], (*codes, NODATA_CODE), "map")
        key, count = np.unique((ids * n + rows) * (n + 1) + columns, return_counts=True)
        keys.append(key)
        pixels.append(count)
    return _assemble(keys, pixels, tile, method, tuple(codes))


def _assemble(
    keys: list[NDArray[np.int64]],
    pixels: list[NDArray[np.int64]],
    tile: str,
    method: str,
    codes: tuple[int, ...],
) -> Confusion:
    """A confusion from keys that pack polygon, reference place and map place."""
    n = len(codes)
    key = np.concatenate([*keys, np.zeros(0, dtype=np.int64)])
    count = np.concatenate([*pixels, np.zeros(0, dtype=np.int64)])
    pairs, places = np.unique(key // (n + 1), return_inverse=True)
    ids = pairs // n
    if ids.size and np.any(np.diff(ids) == 0):
        twice = np.unique(ids[1:][np.diff(ids) == 0])
        raise AccuracyError(
            f"{tile}: polygons {twice[:10].tolist()} have more than one reference code; "
            "polygon identifiers must be unique in the whole run"
        )
    table = np.zeros((pairs.size, n + 1), dtype=np.int64)
    np.add.at(table, (places, key % (n + 1)), count)
    return Confusion(tile, method, codes, ids, pairs % n, table[:, :n], table[:, n])


def pool_methods(confusions: Sequence[Confusion], methods: Sequence[str]) -> list[Confusion]:
    """The confusions of several tiles merged (`pool`), one for each of the methods.

    Raises
    ------
    AccuracyError
        If a method has no confusion, or as `pool` does.
    """
    found = {confusion.method for confusion in confusions}
    missing = [method for method in methods if method not in found]
    if missing:
        raise AccuracyError(
            f"no tile has a confusion of {', '.join(missing)}, only of "
            f"{', '.join(sorted(found)) or 'no method'}; judge the maps of every method first, "
            "or leave it out of mapping.methods"
        )
    return [pool([c for c in confusions if c.method == method]) for method in methods]


def pool(confusions: Sequence[Confusion], tile: str = "pooled") -> Confusion:
    """Merge the confusions of several tiles and one method.

    Tiles overlap. A polygon seen in two tiles was mapped twice, and both maps count: its pixels
    are added up, and it stays one polygon, so that a resampling by polygon draws both or none.

    Raises
    ------
    AccuracyError
        If there is none, methods or codes differ, or a polygon has two reference codes.
    """
    if not confusions:
        raise AccuracyError("no confusion was given, so there is nothing to pool")
    first = confusions[0]
    for other in confusions[1:]:
        if (other.method, other.codes) != (first.method, first.codes):
            raise AccuracyError(
                f"{other.tile} ({other.method}, codes {list(other.codes)}) cannot be pooled with "
                f"{first.tile} ({first.method}, codes {list(first.codes)})"
            )
    n = len(first.codes)
    keys, pixels = [], []
    for confusion in confusions:
        table = np.column_stack([confusion.counts, confusion.unmapped_counts])
        rows, columns = np.nonzero(table)
        pair = confusion.polygon_ids[rows] * n + confusion.references[rows]
        keys.append(pair * (n + 1) + columns)
        pixels.append(table[rows, columns])
    return _assemble(keys, pixels, tile, first.method, first.codes)
