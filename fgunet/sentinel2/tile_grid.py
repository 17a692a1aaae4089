"""The grid of a tile, which all its products share, whichever of them are used."""

import os
from collections.abc import Sequence

from fgunet.errors import GridError, ProductError
from fgunet.files import read_json
from fgunet.grid import Grid
from fgunet.sentinel2.acquisition import Acquisition, Product, Request


def find_grid(products: Sequence[Product], request: Request) -> Grid:
    """The 10 m grid of a tile: that of its first product that can be read.

    Parameters
    ----------
    products : sequence of Product
        Products of one tile, at least one.
    request : Request
        Bands, at least one of which is opened.

    Raises
    ------
    ProductError
        If none can be read: what is wrong with the first.
    """
    errors: list[ProductError] = []
    for product in products:
        try:
            return product.describe(request).grid
        except ProductError as error:
            errors.append(error)
    raise errors[0]


def require_grid(acquisition: Acquisition, path: str | os.PathLike[str]) -> None:
    """Hold the grid of what is used against that which the reference was made for.

    Parameters
    ----------
    acquisition : Acquisition
        One of those that are used, which share a grid.
    path : path
        File of the tile's grid.

    Raises
    ------
    GridError
        If the two differ.
    ResultError
        If the file is damaged, or of another tile.
    """
    expected = Grid.from_dict(read_json(path, tile=acquisition.tile)["grid"])
    if acquisition.grid != expected:
        raise GridError(
            f"{acquisition.product} lies on another grid than the tile had so far: "
            f"{acquisition.grid} instead of {expected} ({path}), for which the reference was "
            "made. Take such products away; or, if the tile shall lie there from now on, remove "
            f"{path}, and the same command makes the reference and the models anew"
        )
