"""Product families, by name: how each finds and describes the products of a tile."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fgunet.errors import ProductError
from fgunet.sentinel2 import theia, theia_format
from fgunet.sentinel2.acquisition import Acquisition


class ReadProduct(Protocol):
    """A function that describes the product at a path."""

    def __call__(
        self, path: str | os.PathLike[str], *, reflectance: str, bands: Sequence[str]
    ) -> Acquisition:
        """Describe one product. Raises ProductError where it is malformed."""
        ...


@dataclass(frozen=True)
class Family:
    """How products of one family are found and described, and which masks they may lack."""

    list_products: Callable[[str | os.PathLike[str]], dict[str, list[Path]]]
    find_products: Callable[[str | os.PathLike[str], str], list[Path]]
    read_product: ReadProduct
    optional_masks: tuple[str, ...]


FAMILIES: dict[str, Family] = {
    "theia": Family(
        theia.list_products, theia.find_products, theia.read_product, theia_format.OPTIONAL_MASKS
    ),
}
"""A further family registers itself here; nothing else needs to know it."""


def find_acquisitions(
    folder: str | os.PathLike[str],
    *,
    family: str,
    tile: str,
    reflectance: str,
    bands: Sequence[str],
) -> list[Acquisition]:
    """All products of a tile in `folder`, by time.

    Raises
    ------
    ProductError
        If the family is not known, or a product is malformed or lacks a band.
    MissingAcquisitionError
        If there is no product of the tile.
    """
    reader = _family(family)
    found = [
        reader.read_product(path, reflectance=reflectance, bands=bands)
        for path in reader.find_products(folder, tile)
    ]
    return sorted(found, key=lambda acquisition: (acquisition.time, acquisition.product))


def count_missing_masks(acquisitions: Sequence[Acquisition]) -> dict[str, int]:
    """How many acquisitions lack each optional mask of their family; only those above zero."""
    counts: dict[str, int] = {}
    for acquisition in acquisitions:
        for kind in _family(acquisition.family).optional_masks:
            if kind not in acquisition.masks:
                counts[kind] = counts.get(kind, 0) + 1
    return counts


def _family(name: str) -> Family:
    if name not in FAMILIES:
        raise ProductError(
            f"there is no product family {name!r}; products.family must be one of "
            f"{', '.join(FAMILIES)}"
        )
    return FAMILIES[name]
