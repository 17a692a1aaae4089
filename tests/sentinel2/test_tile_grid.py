"""The grid that all products of a tile share."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fgunet.errors import GridError, ProductError
from fgunet.files import write_json
from fgunet.sentinel2.acquisition import Product, Request
from fgunet.sentinel2.families import list_products
from fgunet.sentinel2.tile_grid import find_grid, require_grid

WriteProduct = Callable[..., Path]
REQUEST = Request(("B02",), ())
LATER = "SENTINEL2A_20180106-105818-575_L2A_T31TCJ_D_V1-4"


def products_at(*paths: Path) -> list[Product]:
    [products] = list_products([str(path) for path in paths]).values()
    return products


def test_a_broken_product_leaves_the_grid_to_the_next(write_product: WriteProduct) -> None:
    broken, whole = products_at(write_product(names=("B11",)), write_product(LATER))
    assert find_grid([broken, whole], REQUEST) == whole.describe(REQUEST).grid


def test_where_none_can_be_read_the_first_is_told_of(write_product: WriteProduct) -> None:
    paths = write_product(names=("B11",)), write_product(LATER, names=("B11",))
    products = products_at(*paths)
    with pytest.raises(ProductError, match=products[0].name):
        find_grid(products, REQUEST)


def test_another_grid_than_that_of_the_reference_is_refused(
    write_product: WriteProduct, tmp_path: Path
) -> None:
    acquisition = products_at(write_product())[0].describe(REQUEST)
    path = tmp_path / "grid.json"
    write_json(path, {"tile": acquisition.tile, "grid": acquisition.grid.to_dict()})
    require_grid(acquisition, path)
    moved = {**acquisition.grid.to_dict(), "height": acquisition.grid.height + 1}
    write_json(path, {"tile": acquisition.tile, "grid": moved})
    with pytest.raises(GridError, match=rf"{acquisition.product}.*remove {path}"):
        require_grid(acquisition, path)
