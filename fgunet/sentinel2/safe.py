"""Products of ESA (format SAFE, made by sen2cor).

Format: https://sentiwiki.copernicus.eu/web/s2-products. Products with the long names of before
December 2016 (S2A_USER_PRD_MSIL2A_...) are not read.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from fgunet.errors import MissingBandError, ProductError
from fgunet.sentinel2.acquisition import Acquisition, Product, Request
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.contents import Contents, require_kind, stands_for_product
from fgunet.sentinel2.images import require_dtypes
from fgunet.sentinel2.masks import MASK_KINDS
from fgunet.sentinel2.product_grid import require_zone, ten_metre_grid
from fgunet.sentinel2.safe_format import (
    ARCHIVE_ENDINGS,
    CLASSIFICATION,
    CLASSIFICATION_RESOLUTION,
    DTYPES,
    FOLDER_ENDING,
    GRANULE_NAME,
    IMAGE_NAME,
    METADATA_FILE,
    NODATA,
    PRODUCT_NAME,
)
from fgunet.sentinel2.safe_metadata import SafeMetadata, parse_metadata

_LONGEST_DATATAKE = timedelta(hours=1)
"""A datatake has at most 15 000 km, so 37 minutes; the next orbit comes after 100."""

_RESOLUTIONS = {name: band.resolution_m for name, band in BANDS.items()} | {
    CLASSIFICATION: CLASSIFICATION_RESOLUTION
}
"""Pixel size, in metres, of the image that is read of each layer."""

_REMEDY = "download the product again, or take it away"
_MIXED = f"a file was renamed, or comes from another product: {_REMEDY}"


def recognise(path: Path) -> list[Product] | None:
    """The product at a path, or None where there is none of this family.

    A product is a folder ``<name>.SAFE``, or an archive ``<name>.zip`` or ``<name>.SAFE.zip`` with
    that folder in it. Only names are looked at: what is named so and is no folder, or no file, is
    a broken product.

    Parameters
    ----------
    path : Path
        Any file or folder.
    """
    name = _parse_name(path)
    if name is None or not stands_for_product(path, packed=_is_packed(path)):
        return None
    describe = partial(read_product, path)
    return [Product(name[0], "safe", name["tile"], name["date"], str(path), describe)]


def read_product(path: Path, request: Request) -> Acquisition:
    """Describe a product.

    Its time is the start of its datastrip, to the second, as the granule's name says. Where a tile
    lies on the border of two datastrips, there are two products of it, one for each part: these
    share the start of the datatake, which stands in the product's name, but not the datastrip's.
    A product that was processed again has the same of both, as a rule. The version is the
    processing baseline and the time that ends the product's name.

    Parameters
    ----------
    path : Path
        Folder or archive of the product.
    request : Request
        What is asked for. There is one reflectance, whichever is asked for.

    Returns
    -------
    Acquisition
        Reflectance is (stored number + BOA_ADD_OFFSET) / BOA_QUANTIFICATION_VALUE, after the
        Products Specification Document; the nodata number stands for itself, without offset.

    Raises
    ------
    ProductError
        If the product is not named like one, is not whole, lacks a band, a mask or metadata,
        contradicts its name or itself, or has files of another type or that do not fit the 10 m
        grid.
    """
    name = _parse_name(path)
    if name is None:
        raise ProductError(
            f"{path} is no folder or archive of a Sentinel-2 level 2A product of ESA; expected "
            f"{PRODUCT_NAME.pattern} and {FOLDER_ENDING} or .zip"
        )
    require_kind(path, packed=_is_packed(path))
    contents = Contents(path)
    top = _find_top(contents, name)
    xml = top + METADATA_FILE
    told = parse_metadata(contents.read_bytes(xml), contents.gdal_path(xml))
    _require_agreement(path, name, told)
    granule = _find_granule(contents, top, name)
    time = _datastrip_start(path, granule, told)
    images = _find_images(contents, f"{top}GRANULE/{granule[0]}/IMG_DATA/", name, told)
    bands = _choose_bands(path, images, request)
    masks = _choose_masks(path, images, request)
    grid = ten_metre_grid(name[0], bands, masks)
    require_zone(str(path), name["tile"], grid)
    offset = told.offset_of(request.bands)
    nodata = NODATA if told.nodata is None else told.nodata
    require_dtypes(bands.values(), masks.values(), dtypes=DTYPES, nodata=nodata)
    return Acquisition(
        product=name[0],
        family="safe",
        tile=name["tile"],
        time=time,
        platform=told.platform,
        version=f"N{name['baseline']}_{name['made']}",
        baseline=told.baseline,
        grid=grid,
        bands=bands,
        masks=masks,
        scale=1 / told.quantification,
        offset=offset / told.quantification,
        nodata=nodata,
        nodata_declared=told.nodata is not None,
    )


def _parse_name(path: Path) -> re.Match[str] | None:
    """The name of a product, by a path's name, or None if it is named otherwise."""
    for ending in (FOLDER_ENDING, *ARCHIVE_ENDINGS):
        match = PRODUCT_NAME.fullmatch(path.name.removesuffix(ending))
        if match and path.name.endswith(ending):
            return match
    return None


def _is_packed(path: Path) -> bool:
    return not path.name.endswith(FOLDER_ENDING)


def _find_top(contents: Contents, name: re.Match[str]) -> str:
    """What stands before the names of the product's files: "" or its folder and "/"."""
    found = [file.removesuffix(METADATA_FILE) for file in contents.matching(METADATA_FILE)]
    if len(found) != 1:
        there = ", ".join(top or "the top folder" for top in found)
        raise ProductError(
            f"{contents.path} has {len(found)} files {METADATA_FILE}{there and f' ({there})'}; "
            f"expected one: {_REMEDY}"
        )
    if found[0] and found[0] != f"{name[0]}{FOLDER_ENDING}/":
        raise ProductError(
            f"{contents.path} holds {found[0]}, not {name[0]}{FOLDER_ENDING}: {_MIXED}"
        )
    return found[0]


def _require_agreement(path: Path, name: re.Match[str], told: SafeMetadata) -> None:
    """Refuse a product whose name and metadata contradict each other."""
    baseline = name["baseline"]
    for said, in_name, in_metadata in (
        ("the product is", name[0], told.product),
        ("the satellite is", f"SENTINEL2{name['unit']}", told.platform),
        ("the processing baseline is", f"{baseline[:2]}.{baseline[2:]}", told.baseline),
        ("the datatake started on", name["date"], f"{told.datatake_start:%Y%m%d}"),
    ):
        if in_name != in_metadata:
            raise ProductError(
                f"{path}: {said} {in_name} by its name, but {in_metadata} by {told.source}; "
                f"{_MIXED}"
            )


def _find_granule(contents: Contents, top: str, name: re.Match[str]) -> re.Match[str]:
    """Name of the folder of the one granule."""
    above = f"{top}GRANULE/"
    inside = (file[len(above) :] for file in contents.names if file.startswith(above))
    found = sorted({file.partition("/")[0] for file in inside if "/" in file})
    match = GRANULE_NAME.fullmatch(found[0]) if len(found) == 1 else None
    if match is None:
        raise ProductError(
            f"{contents.path} has the granules {', '.join(found) or '(none)'} in GRANULE; expected "
            f"one, named like L2A_{name['tile']}_A020270_20210122T133224: {_REMEDY}"
        )
    if match["tile"] != name["tile"]:
        raise ProductError(
            f"{contents.path} is of tile {name['tile']} by its name, but its granule {match[0]} "
            f"of {match['tile']}; {_MIXED}"
        )
    return match


def _datastrip_start(path: Path, granule: re.Match[str], told: SafeMetadata) -> str:
    start = _time_in_datatake(granule["start"], told)
    if start is None:
        raise ProductError(
            f"{path}: the datatake started at {told.datatake_start} by {told.source}, but the "
            f"granule's name {granule[0]} says {granule['start']}; {_MIXED}"
        )
    return start.isoformat()


def _time_in_datatake(stamp: str, told: SafeMetadata) -> datetime | None:
    """The time that a name states, or None if it is none of the product's datatake."""
    try:
        # The times of names are UTC too.
        time = datetime.strptime(stamp, "%Y%m%dT%H%M%S")
    except ValueError:
        return None
    return time if abs(time - told.datatake_start) <= _LONGEST_DATATAKE else None


def _find_images(
    contents: Contents, folder: str, name: re.Match[str], told: SafeMetadata
) -> dict[str, str]:
    """Each layer's image of the pixel size that is read, as GDAL opens it."""
    images: dict[str, str] = {}
    for file in contents.names:
        above, _, image = file.removeprefix(folder).rpartition("/")
        match = IMAGE_NAME.fullmatch(image)
        if not file.startswith(folder) or match is None:
            continue
        layer, resolution = match["layer"], match["resolution"]
        if above != f"R{resolution}m" or str(_RESOLUTIONS.get(layer)) != resolution:
            continue
        path = contents.gdal_path(file)
        _require_same_origin(path, match, name)
        _require_same_datatake(path, match, told)
        if layer in images:
            raise ProductError(f"{path} and {images[layer]} are both {layer}; {_MIXED}")
        images[layer] = path
    return images


def _require_same_origin(path: str, image: re.Match[str], name: re.Match[str]) -> None:
    """Refuse an image of another tile or day than the product's."""
    for what in ("tile", "date"):
        if image[what] != name[what]:
            raise ProductError(
                f"{path} is of {what} {image[what]} by its name, but the product {name[0]} of "
                f"{name[what]}; {_MIXED}"
            )


def _require_same_datatake(path: str, image: re.Match[str], told: SafeMetadata) -> None:
    """Refuse an image of another orbit of the same day, as high latitudes have."""
    stamp = f"{image['date']}T{image['time']}"
    if _time_in_datatake(stamp, told) is None:
        raise ProductError(
            f"{path} is of {stamp} by its name, but the datatake started at "
            f"{told.datatake_start} by {told.source}; {_MIXED}"
        )


def _choose_bands(path: Path, images: Mapping[str, str], request: Request) -> dict[str, str]:
    """The image of each band asked for."""
    missing = [band for band in request.bands if band not in images]
    if missing:
        there = [band for band in BANDS if band in images]
        raise (MissingBandError if there else ProductError)(
            f"product {path} lacks {', '.join(missing)}; it has {', '.join(there) or 'no band'}. "
            "Take the product away, or list fewer bands under products.bands"
        )
    return {band: images[band] for band in request.bands}


def _choose_masks(path: Path, images: Mapping[str, str], request: Request) -> dict[str, str]:
    """The scene classification, if it tells anything that is asked for."""
    wanted = [reason for reason in request.reasons if reason in MASK_KINDS[CLASSIFICATION]]
    if not wanted:
        return {}
    if CLASSIFICATION not in images:
        passing = "clouds" if "cloud" in wanted else ", ".join(wanted)
        switches = ", ".join(f"products.masks.{reason}" for reason in wanted)
        raise ProductError(
            f"product {path} has no scene classification (R20m/*_SCL_20m.jp2), so its {passing} "
            f"would pass for ground; download it again, take it away, or switch {switches} off"
        )
    return {CLASSIFICATION: images[CLASSIFICATION]}
