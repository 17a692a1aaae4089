"""Polygons, hectares and pixels: by class, source, tile and split, and after each step."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fgunet.reference.sides import SPLIT_CODES, SPLIT_NAMES
from fgunet.reference.tally import as_counts


def count_polygons(
    *,
    code: NDArray[np.int64],
    source: NDArray[np.object_],
    split: NDArray[np.uint8],
    tiles: Sequence[str],
    area_m2: NDArray[np.float64],
    names: Mapping[int, str],
) -> dict[str, Any]:
    """Polygons and hectares by source, class, split and tile.

    Parameters
    ----------
    code, source, split, tiles, area_m2 : arrays
        (n,) each: class code, source name, split code 1..3, comma-separated tile names, m2.
    names : mapping
        Name of each class code.

    Returns
    -------
    dict
        `rows` (by source, code and split), `classes`, `splits` and `tiles` (by split; a polygon
        in two tiles counts in both), each of the last three with `test_share`, the test's share
        of the area, and `validation_share`, the validation's of the rest; and
        `polygons_in_several_tiles`. JSON can hold it.
    """
    table = pd.DataFrame({"source": source, "code": code, "split": split, "area": area_m2})
    named = pd.Series(list(tiles), dtype=object).str.split(",")
    in_tiles = table.assign(tile=named).explode("tile")
    kinds: Any = table.groupby(["source", "code", "split"], sort=True)["area"]
    return {
        "rows": [
            {"source": s, "code": int(c), "split": SPLIT_NAMES[n]} | as_counts(size, area)
            for (s, c, n), size, area in kinds.agg(["size", "sum"]).itertuples()
        ],
        "classes": {
            str(c): {"name": names[c], **_by_split(table[table["code"] == c])}
            for c in np.unique(code).tolist()
        },
        "splits": _by_split(table),
        "tiles": {str(t): _by_split(part) for t, part in in_tiles.groupby("tile", sort=True)},
        "polygons_in_several_tiles": int((named.str.len() > 1).sum()),
    }


def _by_split(table: pd.DataFrame) -> dict[str, Any]:
    side, ground = table["split"].to_numpy(), table["area"].to_numpy()
    size = {name: int((side == n).sum()) for n, name in SPLIT_NAMES.items()}
    area = {name: float(ground[side == n].sum()) for n, name in SPLIT_NAMES.items()}
    rest = area["training"] + area["validation"]
    return {
        **{name: as_counts(size[name], area[name]) for name in SPLIT_CODES},
        "test_share": _share(area["test"], area["test"] + rest),
        "validation_share": _share(area["validation"], rest),
    }


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 6) if whole else None


def count_left_out(
    present: Iterable[int],
    merged: Iterable[int],
    in_tiles: Mapping[int, int],
    names: Mapping[int, str],
) -> list[dict[str, Any]]:
    """Classes that are in no split, with the polygons lost by it.

    Parameters
    ----------
    present, merged : iterable of int
        Codes that are in a split, and those that joined another class.
    in_tiles : mapping
        Polygons of each class in the tiles, before the split.
    names : mapping
        Name of each class of the nomenclature.

    Returns
    -------
    list of dict
        `code`, `name`, `polygons`, by rising code.
    """
    return [
        {"code": code, "name": names[code], "polygons": in_tiles.get(code, 0)}
        for code in sorted(set(names) - set(present) - set(merged))
    ]


def count_pixels(tiles: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Add the pixels of the tiles' audits up.

    Parameters
    ----------
    tiles : iterable of mapping
        Audits of tiles: tile, and pixels (rows of source, code, split, pixels).

    Returns
    -------
    dict
        `rows` (source, code, split, pixels), `tiles` (by split) and `splits`. A pixel on the
        ground of two tiles counts in both. JSON can hold it.
    """
    listed = [{**row, "tile": tile["tile"]} for tile in tiles for row in tile["pixels"]]
    table = pd.DataFrame(listed, columns=["source", "code", "split", "tile", "pixels"])
    table["order"] = table["split"].map(SPLIT_CODES)
    rows: Any = table.groupby(["source", "code", "order"], sort=True)["pixels"].sum().items()

    def by_split(part: pd.DataFrame) -> dict[str, int]:
        return {n: int(part.loc[part["split"] == n, "pixels"].sum()) for n in SPLIT_CODES}

    return {
        "rows": [
            {"source": s, "code": int(c), "split": SPLIT_NAMES[n], "pixels": int(pixels)}
            for (s, c, n), pixels in rows
        ],
        "splits": by_split(table),
        "tiles": {str(tile): by_split(part) for tile, part in table.groupby("tile", sort=True)},
    }


def count_steps(
    fusion: Mapping[str, Any], counts: Mapping[str, Any], pixels: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """What was left after each step, source by source and class by class.

    Parameters
    ----------
    fusion : mapping
        Report of the fusion: sources, each with name and steps.
    counts, pixels : mapping
        From `count_polygons` and `count_pixels`.

    Returns
    -------
    list of dict
        source, step, code, polygons, hectares; for the last step, "split", also pixels. Steps
        that know no classes have the code None. JSON can hold it.
    """
    rows = []
    burned: dict[tuple[str, int], int] = {}
    for row in pixels["rows"]:
        key = row["source"], row["code"]
        burned[key] = burned.get(key, 0) + row["pixels"]
    for source in fusion["sources"]:
        name = source["name"]
        for step in source.get("steps", ()):
            rows += [{"source": name, "step": step["step"], **row} for row in _classes_of(step)]
        codes = sorted({row["code"] for row in counts["rows"] if row["source"] == name})
        for code in codes:
            own = [r for r in counts["rows"] if (r["source"], r["code"]) == (name, code)]
            rows.append(
                {
                    "source": name,
                    "step": "split",
                    "code": code,
                    "polygons": sum(row["polygons"] for row in own),
                    "hectares": round(sum(row["hectares"] for row in own), 4),
                    "pixels": burned.get((name, code), 0),
                }
            )
    return rows


def _classes_of(step: Mapping[str, Any]) -> list[dict[str, Any]]:
    classes = step.get("classes") or {}
    if not classes:
        return [{"code": None, **{k: v for k, v in step.items() if k not in ("step", "classes")}}]
    return [{"code": int(code), **counts} for code, counts in sorted(classes.items(), key=_number)]


def _number(item: tuple[str, Any]) -> int:
    return int(item[0])
