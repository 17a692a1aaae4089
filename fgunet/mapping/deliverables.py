"""The maps of a tile: what each one holds, window by window."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Grid, Window
from fgunet.mapping.attribute_table import attribute_table
from fgunet.mapping.cog import create_cog
from fgunet.mapping.tags import class_tags
from fgunet.nomenclature import NODATA_CODE, NODATA_CONFIDENCE, Nomenclature


def create_class_map(
    path: str | os.PathLike[str],
    grid: Grid,
    nomenclature: Nomenclature,
    tags: Mapping[str, str] | None = None,
) -> AbstractContextManager[Callable[[Window, NDArray[np.uint8]], None]]:
    """Write a class map window by window, atomically.

    A COG of codes, 0 = nodata, with the nomenclature's colours, and overviews of the most
    frequent class. Class names lie in its tags, and in ``<path>.aux.xml`` as an attribute table
    that QGIS and GDAL read; the table is whole before the map has its name.

    Parameters
    ----------
    path : path
        File to write.
    grid : Grid
        Its grid.
    nomenclature : Nomenclature
        Codes, names and colours of the classes.
    tags : dict, optional
        Further tags of the file (`fgunet.mapping.tags.map_tags`).

    Yields
    ------
    callable
        ``write(window, codes)``, codes (y, x) uint8.
    """
    return create_cog(
        path,
        grid,
        "uint8",
        NODATA_CODE,
        overviews="MODE",
        colours=nomenclature.colours,
        tags={**class_tags(nomenclature), **(tags or {})},
        sidecar=attribute_table(nomenclature),
    )


def create_percent(
    path: str | os.PathLike[str], grid: Grid, tags: Mapping[str, str] | None = None
) -> AbstractContextManager[Callable[[Window, NDArray[np.uint8]], None]]:
    """Write a map of percentages window by window, atomically: a confidence, a margin.

    A COG of 0..100, 255 = nodata, with overviews of the mean.

    Yields
    ------
    callable
        ``write(window, percent)``, percent (y, x) uint8.
    """
    return create_cog(
        path,
        grid,
        "uint8",
        NODATA_CONFIDENCE,
        overviews="AVERAGE",
        tags={"unit": "percent", **(tags or {})},
    )


@contextmanager
def create_probabilities(
    path: str | os.PathLike[str],
    grid: Grid,
    nomenclature: Nomenclature,
    codes: Sequence[int],
    dtype: str,
    *,
    tags: Mapping[str, str] | None = None,
) -> Iterator[Callable[[Window, NDArray[Any]], None]]:
    """Write the probabilities of all classes window by window, atomically.

    A COG with a band a class, named after it, and overviews of the mean.

    Parameters
    ----------
    path, grid, nomenclature, tags
        As in `create_class_map`.
    codes : sequence of int
        Codes of the classes, in the order of the bands.
    dtype : str
        "uint8": percent, 255 = nodata. "float16": 0..1 in half precision, NaN = nodata. The file
        holds these as float32, whose last bits are zeros and take little room: GDAL 3.10 leaves
        whatever was in memory in 16-bit floats beyond the edge of the map, never the same twice.

    Yields
    ------
    callable
        ``write(window, probabilities)``, probabilities (class, y, x) of `dtype`.
    """
    percent = dtype == "uint8"
    with create_cog(
        path,
        grid,
        "uint8" if percent else "float32",
        NODATA_CONFIDENCE if percent else float("nan"),
        overviews="AVERAGE",
        bands=[nomenclature.names[code] for code in codes],
        tags={
            "unit": "percent" if percent else "1",
            "nomenclature": nomenclature.name,
            **(tags or {}),
        },
    ) as write:
        yield lambda window, probabilities: write(window, probabilities.astype(dtype, copy=False))


def create_clear_count(
    path: str | os.PathLike[str], grid: Grid, tags: Mapping[str, str] | None = None
) -> AbstractContextManager[Callable[[Window, NDArray[np.uint16]], None]]:
    """Write how many days each pixel was clear window by window, atomically.

    A COG with overviews of the mean. No value is nodata: 0 is a count too (never clear), and
    statistics that left it out would hide the ground that was seen worst.

    Yields
    ------
    callable
        ``write(window, counts)``, counts (y, x) uint16.
    """
    return create_cog(
        path, grid, "uint16", None, overviews="AVERAGE", tags={"unit": "days", **(tags or {})}
    )
