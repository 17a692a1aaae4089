"""The shares of area that a split reached."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.reference.sides import SPLIT_NAMES, TEST, VALIDATION


def achieved_shares(
    code: NDArray[np.int64],
    side: NDArray[np.uint8],
    area_ha: NDArray[np.float64],
    tiles: Sequence[str],
    names: Mapping[int, str],
) -> dict[str, Any]:
    """Polygons, hectares and shares of area by split: of all, by class and by tile.

    Parameters
    ----------
    code, side, area_ha : numpy.ndarray
        (n,): class code, split code 1..3, hectares.
    tiles : sequence of str
        Tiles of each polygon, joined by commas; it counts in each.
    names : mapping
        Name of each class.

    Returns
    -------
    dict
        `all`, `classes` (by code) and `tiles` (by name): for each split its polygons and
        hectares, and `test_share` (of all area) and `validation_share` (of what is not test;
        None where nothing is). JSON can hold it.
    """
    tile_names, owner, tile = tiles_by_row(tiles)
    return {
        "all": _shares(np.zeros(len(code), dtype=np.int64), side, area_ha, 1)[0],
        "classes": {
            str(one): {"name": names[one], **row}
            for one, row in _by_value(code, side, area_ha).items()
        },
        "tiles": dict(
            zip(
                tile_names, _shares(tile, side[owner], area_ha[owner], len(tile_names)), strict=True
            )
        ),
    }


def tiles_by_row(
    tiles: Sequence[str],
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Names joined by commas as pairs: sorted names, and (pair,) row and place of the name."""
    named = [row.split(",") if row else [] for row in tiles]
    names = sorted({name for row in named for name in row})
    place = {name: i for i, name in enumerate(names)}
    owner = np.repeat(np.arange(len(named)), [len(row) for row in named])
    flat = np.array([place[name] for row in named for name in row], dtype=np.int64)
    return names, owner, flat


def _by_value(
    value: NDArray[np.int64], side: NDArray[np.uint8], area_ha: NDArray[np.float64]
) -> dict[int, dict[str, Any]]:
    values, group = np.unique(value, return_inverse=True)
    return dict(zip(values.tolist(), _shares(group, side, area_ha, len(values)), strict=True))


def _shares(
    group: NDArray[np.int64], side: NDArray[np.uint8], area_ha: NDArray[np.float64], count: int
) -> list[dict[str, Any]]:
    cell = group * 4 + side
    polygons = np.bincount(cell, minlength=4 * count).reshape(count, 4)
    hectares = np.bincount(cell, weights=area_ha, minlength=4 * count).reshape(count, 4)
    return [_row(n, ha) for n, ha in zip(polygons, hectares, strict=True)]


def _row(polygons: NDArray[np.int64], hectares: NDArray[np.float64]) -> dict[str, Any]:
    rest = hectares.sum() - hectares[TEST]
    return {
        name: {"polygons": int(polygons[n]), "hectares": round(float(hectares[n]), 4)}
        for n, name in SPLIT_NAMES.items()
    } | {
        "test_share": _ratio(hectares[TEST], hectares.sum()),
        "validation_share": _ratio(hectares[VALIDATION], rest),
    }


def _ratio(part: float, whole: float) -> float | None:
    return round(float(part / whole), 6) if whole > 0 else None
