"""Product families, and finding the products of any of them."""

import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fgunet.errors import MissingAcquisitionError
from fgunet.sentinel2 import safe, stac, theia
from fgunet.sentinel2.acquisition import Acquisition, Product, Request
from fgunet.sentinel2.masks import ruled_out
from fgunet.sentinel2.safe_format import PRODUCT_NAME
from fgunet.sentinel2.theia_format import ARCHIVE_NAME

_log = logging.getLogger(__name__)

Recognise = Callable[[Path], "list[Product] | None"]
"""Gives the products at a path, or None where the path is nothing of the family."""


@dataclass(frozen=True)
class Family:
    """How products of one family are recognised, and which masks they may lack.

    `beginning` is what the names of products begin with, where names tell them.
    """

    recognise: Recognise
    optional_masks: tuple[str, ...]
    beginning: re.Pattern[str] | None = None


FAMILIES: dict[str, Family] = {
    "theia": Family(theia.recognise, theia.OPTIONAL_MASKS, ARCHIVE_NAME),
    "safe": Family(safe.recognise, (), PRODUCT_NAME),
    "stac": Family(stac.recognise, ()),
}
"""Families by name; a further one registers itself here."""

_PACKED = re.compile(r".*\.(safe|zip|7z|rar|tar|t?[gbx]z2?|zst|part|crdownload)", re.IGNORECASE)
"""Names that a product may lie under, unlike the notes and pictures beside it."""

_MOST_NAMED = 3


def list_products(
    locations: Sequence[str],
    *,
    family: str = "auto",
    search: stac.Search | None = None,
) -> dict[str, list[Product]]:
    """List products by tile, each tile's by date and name.

    What is named like a product, but ends otherwise, is passed over with one warning.

    Parameters
    ----------
    locations : sequence of str
        Folders that are searched at any depth (links are followed), single products, archives or
        STAC files, and addresses of STAC catalogues or services.
    family : str
        Only products of this family, a key of `FAMILIES`; "auto" recognises each.
    search : Search, optional
        What is asked of STAC services; without it they are left alone.

    Raises
    ------
    MissingAcquisitionError
        If a location does not exist.
    ProductError
        If a STAC catalogue cannot be read.
    """
    chosen = list(FAMILIES.values()) if family == "auto" else [FAMILIES[family]]
    found: list[Product] = []
    passed_over: list[Path] = []
    for location in locations:
        if stac.is_address(location):
            found += stac.find_remote(location, search) if family in ("auto", "stac") else []
        elif os.path.exists(location):  # noqa: PTH110  false where its folder is closed
            found += _walk(Path(location), chosen, set(), passed_over)
        else:
            raise MissingAcquisitionError(
                f"there is no {location} to look for products in; correct products.folder in the "
                "configuration"
            )
    _warn_of(passed_over)
    # An item may be found by its catalogue and by itself.
    distinct = {(product.date, product.name, product.path): product for product in found}
    by_tile: dict[str, list[Product]] = {}
    for _, product in sorted(distinct.items(), key=lambda pair: pair[0]):
        by_tile.setdefault(product.tile, []).append(product)
    return by_tile


def products_of_tile(
    tile: str, locations: Sequence[str], *, family: str, search: stac.Search
) -> list[Product]:
    """The products of one tile; as `list_products`.

    Raises
    ------
    MissingAcquisitionError
        If there is none.
    """
    by_tile = list_products(locations, family=family, search=search)
    if tile not in by_tile:
        raise MissingAcquisitionError(
            f"{', '.join(locations)} holds no product of tile {tile}"
            f"{'' if family == 'auto' else f' of the family {family}'}; there are products of "
            f"{', '.join(sorted(by_tile)) or 'no tile'}. Expected names like "
            f"SENTINEL2A_20180101-105432-457_L2A_{tile}_C_V2-2 (Theia) or "
            f"S2A_MSIL2A_20180101T105432_N0206_R051_{tile}_20180101T130910.SAFE, as folders or "
            ".zip, or STAC items: correct products.folder, or take the tile out of the "
            "configuration"
        )
    return by_tile[tile]


def _walk(
    path: Path, families: Sequence[Family], seen: set[str], passed_over: list[Path]
) -> Iterator[Product]:
    """Products at or below a path; each real folder is entered once, so links may loop.

    What is named much like a product, and holds none, is added to `passed_over`.
    """
    for family in families:
        products = family.recognise(path)
        if products is not None:
            yield from products
            return
    real, holds_some = os.path.realpath(path), False
    if path.is_dir():
        if real in seen:
            return
        seen.add(real)
        for inner in _entries(path):
            for product in _walk(inner, families, seen, passed_over):
                holds_some = True
                yield product
    if not holds_some and any(_resembles(path, family.beginning) for family in families):
        passed_over.append(path)


def _resembles(path: Path, beginning: re.Pattern[str] | None) -> bool:
    """Whether what is no product is named so much like one that it may be meant as one."""
    match = beginning.match(path.name) if beginning else None
    if match is None:
        return False
    ending = path.name[match.end() :]
    if not path.is_dir():
        return _PACKED.fullmatch(ending) is not None
    # The files of a STAC item may lie in a folder of the product's name.
    return bool(ending) or any(path.glob("*MTD_*.xml"))


def _warn_of(passed_over: Sequence[Path]) -> None:
    # Locations may overlap.
    names = list(dict.fromkeys(map(str, passed_over)))
    if names:
        more = len(names) - _MOST_NAMED
        named = ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
        _log.warning("passed over, because a product's name is followed by another ending than "
                     "that of a folder (ESA's .SAFE, Theia's none) or an archive (.zip): %s; "
                     "unpack, download or name anew what is to be used", named)  # fmt: skip


def _entries(folder: Path) -> list[Path]:
    """What a folder holds, sorted; nothing of one that is closed, as lost+found of a disk is."""
    if os.access(folder, os.R_OK | os.X_OK, effective_ids=True):
        return sorted(folder.iterdir())
    _log.warning("%s may not be read: products in it are not found; if there are any, let the "
                 "account of the run read it", folder)  # fmt: skip
    return []


def count_missing_masks(acquisitions: Sequence[Acquisition], request: Request) -> dict[str, int]:
    """How many acquisitions lack each optional mask that would have told something asked for.

    Only numbers above zero are given.
    """
    counts: dict[str, int] = {}
    for acquisition in acquisitions:
        for kind in FAMILIES[acquisition.family].optional_masks:
            wanted = ruled_out(kind, request.reasons, request.bands).any()
            if wanted and kind not in acquisition.masks:
                counts[kind] = counts.get(kind, 0) + 1
    return counts
