"""Features without geometry: a spatial filter passes them over, so they are counted apart."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import shapely

from fgunet.errors import ReferenceDataError
from fgunet.vectors.intact import address, sibling
from fgunet.vectors.layers import Layer
from fgunet.vectors.reading import read_features

NULL, EMPTY = "no geometry", "empty geometry"
_SHX_HEADER, _SHX_RECORD, _NULL_WORDS = 100, 8, 2


def count_hollow(layer: Layer) -> dict[str, int]:
    """Count the features of a whole layer that have no geometry, or an empty one.

    Files without a spatial index, which any spatial filter reads through, are read; of a
    GeoPackage and a shapefile the index alone. Other formats with an index pass for full.

    Parameters
    ----------
    layer : Layer
        Where to count.

    Returns
    -------
    dict
        Features by reason, "no geometry" and "empty geometry"; reasons without features are not
        listed. A shapefile has no empty geometry.

    Raises
    ------
    ReferenceDataError
        If the file is damaged, or the spatial index of a GeoPackage lacks features, which would
        then go unseen.
    """
    if layer.driver == "ESRI Shapefile" and Path(layer.path).suffix.lower() == ".shp":
        counts = _in_shapefile(Path(layer.path))
    elif layer.driver == "GPKG" and layer.indexed:
        try:
            counts = _in_geopackage(layer)
        except sqlite3.Error as error:
            raise ReferenceDataError(
                f"{layer} is damaged: {error}; copy or download the file again"
            ) from error
    elif not layer.indexed:
        counts = _by_reading(layer)
    else:
        counts = {}
    return {reason: count for reason, count in counts.items() if count}


def _in_shapefile(path: Path) -> dict[str, int]:
    with sibling(path, ".shx").open("rb") as file:
        records = np.frombuffer(file.read()[_SHX_HEADER:], dtype=">i4")
    # A record of two words holds the type "null shape" and nothing else.
    lengths = records[: len(records) // 2 * 2].reshape(-1, 2)[:, 1]
    return {NULL: int((lengths == _NULL_WORDS).sum())}


def _in_geopackage(layer: Layer) -> dict[str, int]:
    name = f"rtree_{layer.name}_{layer.geometry_name}_rowid"
    index, geometry, table = map(_quoted, (name, layer.geometry_name, layer.name))
    with closing(sqlite3.connect(address(Path(layer.path)), uri=True)) as database:
        if not _are_tables(database, layer.name, name):
            # A view, with the index of its table.
            return _by_reading(layer)
        if _is_full(database, table, index):
            return {}
        # Bit 4 of the fourth byte of a geometry says that it is empty (OGC 12-128r19, 2.1.3).
        row = database.execute(
            f"SELECT count(*), count({geometry}), "  # noqa: S608
            f"total(substr(hex(substr({geometry}, 4, 1)), 1, 1) IN ('1', '3')) "
            f"FROM {table} WHERE rowid NOT IN (SELECT rowid FROM {index})"
        ).fetchone()
    outside, with_geometry, empty = map(int, row)
    if with_geometry > empty:
        raise ReferenceDataError(
            f"{layer}: the spatial index lacks {with_geometry - empty} of {layer.features} "
            f'features; make it anew: ogrinfo {layer.path} -sql "SELECT RecreateSpatialIndex('
            f"'{layer.name}', '{layer.geometry_name}')\""
        )
    return {NULL: outside - with_geometry, EMPTY: empty}


def _are_tables(database: sqlite3.Connection, *names: str) -> bool:
    """Whether these are names of tables: a view may be made so that its rows have no end."""
    query = (
        "SELECT count(*) FROM sqlite_master WHERE name = ? COLLATE NOCASE "
        "AND type = 'table' AND sql LIKE 'CREATE TABLE %'"
    )
    return all(database.execute(query, (name,)).fetchone() == (1,) for name in names)


def _is_full(database: sqlite3.Connection, table: str, index: str) -> bool:
    """Whether the index has every number from the first feature to the last.

    The number of features that the file notes of itself may be stale, and to count them takes a
    reading of the table.
    """
    ends = (f"SELECT {end}(rowid) FROM {table}" for end in ("min", "max"))  # noqa: S608
    first, last = (database.execute(end).fetchone()[0] for end in ends)
    if first is None:
        return True
    (indexed,) = database.execute(
        f"SELECT count(*) FROM {index} WHERE rowid BETWEEN ? AND ?",  # noqa: S608
        (first, last),
    ).fetchone()
    return bool(indexed == last - first + 1)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _by_reading(layer: Layer) -> dict[str, int]:
    features = read_features(layer, columns=[])
    null = shapely.is_missing(features.geometry) & ~features.unreadable
    return {NULL: int(null.sum()), EMPTY: int(shapely.is_empty(features.geometry).sum())}
