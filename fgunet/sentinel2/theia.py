"""Products of the Theia land data centre (format MUSCATE, made by MAJA).

Format: https://www.cesbio.cnrs.fr/maja/sentinel-2-output-format/
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
from fgunet.sentinel2.masks import ruled_out
from fgunet.sentinel2.product_grid import declared_nodata, require_zone, ten_metre_grid
from fgunet.sentinel2.theia_format import (
    ARCHIVE_ENDING,
    ARCHIVE_NAME,
    DTYPES,
    FILE_NAME,
    MASK_FOLDER,
    METADATA,
    NODATA,
    OPTIONAL_MASKS,
    PRODUCT_NAME,
    REFLECTANCES,
    SCALE,
)
from fgunet.sentinel2.theia_metadata import TheiaMetadata, parse_metadata

__all__ = ["OPTIONAL_MASKS", "read_product", "recognise"]

_MASK_FILES = {
    "CLM": ("CLM_R1", "CLM_R2"),
    "EDG": ("EDG_R1", "EDG_R2"),
    "SAT_R1": ("SAT_R1",),
    "SAT_R2": ("SAT_R2",),
}
"""Files that can serve as each kind of mask, the best first."""

_REMEDY = "download the product again, or take it away"
_MIXED = f"a file was renamed, or comes from another product: {_REMEDY}"


def recognise(path: Path) -> list[Product] | None:
    """The product at a path, or None where there is none of this family.

    A product is a folder ``<name>``, or an archive ``<name>.zip`` with that folder in it, which may
    lack the version at the end of its own name. Only names are looked at: what is named so and is
    no folder, or no file, is a broken product.

    Parameters
    ----------
    path : Path
        Any file or folder.
    """
    name = _parse_name(path)
    if name is None or not stands_for_product(path, packed=_is_packed(path)):
        return None
    describe = partial(read_product, path)
    return [Product(name[0], "theia", name["tile"], name["date"], str(path), describe)]


def read_product(path: Path, request: Request) -> Acquisition:
    """Describe a product.

    Version and time are those of the product's name. Its metadata tells the baseline (the version
    as the producer counts it), scale and nodata; a product without metadata has no baseline, and
    the scale and nodata of the format.

    Parameters
    ----------
    path : Path
        Folder or archive of the product.
    request : Request
        What is asked for.

    Raises
    ------
    MissingBandError
        If the product has bands, but not all that are asked for.
    ProductError
        If the product is not named like one, has no band at all, lacks the cloud mask, contradicts
        its name or itself, or has files that cannot be read, are of another type or do not fit
        the 10 m grid.
    """
    expected = _parse_name(path)
    if expected is None:
        raise ProductError(
            f"{path} is no folder or archive of a Theia product; expected {PRODUCT_NAME.pattern}, "
            f"for an archive with {ARCHIVE_ENDING}"
        )
    require_kind(path, packed=_is_packed(path))
    contents = Contents(path)
    name = _full_name(contents, expected)
    time = _time(path, name)
    files = _find_files(contents, name)
    told = _read_metadata(contents, files)
    _require_agreement(path, name, time, told)
    bands = _choose_bands(contents, files, request)
    masks = _choose_masks(contents, files, request)
    grid = ten_metre_grid(name[0], bands, masks)
    require_zone(str(path), name["tile"], grid)
    nodata, declared = _nodata(path, bands, told)
    require_dtypes(bands.values(), masks.values(), dtypes=DTYPES, nodata=nodata)
    return Acquisition(
        product=name[0],
        family="theia",
        tile=name["tile"],
        time=time.isoformat(timespec="milliseconds"),
        platform=name["platform"],
        version=f"{name['level']}_V{name['version']}",
        baseline=told.version,
        grid=grid,
        bands=bands,
        masks=masks,
        scale=SCALE if told.quantification is None else 1 / told.quantification,
        offset=0.0,
        nodata=nodata,
        nodata_declared=declared,
    )


def _parse_name(path: Path) -> re.Match[str] | None:
    """The name of a product, by a path's name, or None if it is named otherwise."""
    pattern = ARCHIVE_NAME if _is_packed(path) else PRODUCT_NAME
    return pattern.fullmatch(path.name.removesuffix(ARCHIVE_ENDING))


def _is_packed(path: Path) -> bool:
    return path.name.endswith(ARCHIVE_ENDING)


def _full_name(contents: Contents, name: re.Match[str]) -> re.Match[str]:
    """The product's name with its version: that of the folder in an archive which lacks it."""
    if name["version"]:
        return name
    tops = sorted({file.partition("/")[0] for file in contents.names if "/" in file})
    found = [match for top in tops if (match := PRODUCT_NAME.fullmatch(top))]
    if len(found) == 1 and found[0][0].startswith(f"{name[0]}_"):
        return found[0]
    raise ProductError(
        f"{contents.path} holds {', '.join(tops) or 'no folder'}; expected the one folder "
        f"{name[0]}_V and its version: {_MIXED}"
    )


def _time(path: Path, name: re.Match[str]) -> datetime:
    """Time of sensing, UTC."""
    try:
        return datetime.strptime(
            name["date"] + name["time"] + name["milliseconds"], "%Y%m%d%H%M%S%f"
        )
    except ValueError as error:
        raise ProductError(
            f"{path}: {name['date']}-{name['time']} in its name is no day and time, YYYYMMDD-HHMMSS"
            "; give the product its name again, or take it away"
        ) from error


def _find_files(contents: Contents, name: re.Match[str]) -> dict[str, str]:
    """Names of the product's files by what they hold: "FRE_B2", "CLM_R1", `METADATA`."""
    files: dict[str, str] = {}
    for file in contents.names:
        *folders, last = file.split("/")
        match = FILE_NAME.fullmatch(last)
        if match is None:
            continue
        for carried in (match["product"], *filter(PRODUCT_NAME.fullmatch, folders)):
            if carried != name[0]:
                raise ProductError(
                    f"{contents.gdal_path(file)} is of product {carried} by its name, but "
                    f"{contents.path} of {name[0]}; {_MIXED}"
                )
        held = match["image"] or match["metadata"]
        if held in files:
            raise ProductError(
                f"{contents.path} has {held} twice, {files[held]} and {file}; take one away"
            )
        files[held] = file
    return files


def _read_metadata(contents: Contents, files: Mapping[str, str]) -> TheiaMetadata:
    """What the metadata file says: nothing if there is none."""
    if METADATA not in files:
        return TheiaMetadata()
    file = files[METADATA]
    return parse_metadata(contents.read_bytes(file), contents.gdal_path(file))


def _require_agreement(
    path: Path, name: re.Match[str], time: datetime, told: TheiaMetadata
) -> None:
    """Refuse a product whose name and metadata contradict each other; versions may differ."""
    same_product = told.product.startswith(f"{name['identity']}_")
    # The two are rounded each for itself.
    same_time = told.time is not None and abs(told.time - time) < timedelta(seconds=1)
    for said, in_name, in_metadata, agrees in (
        ("the product is", name[0], told.product, same_product),
        ("the tile is", name["tile"], told.tile, told.tile == name["tile"]),
        ("the time is", time, told.time, same_time),
    ):
        if in_metadata and not agrees:
            raise ProductError(
                f"{path}: {said} {in_name} by its name, but {in_metadata} by {told.source}; "
                f"{_MIXED}"
            )


def _choose_bands(contents: Contents, files: Mapping[str, str], request: Request) -> dict[str, str]:
    """The file of each band asked for, as GDAL opens it."""
    there = {
        reflectance: {
            band: files[layer]
            for band in BANDS
            if (layer := f"{reflectance}_{BANDS[band].theia_name}") in files
        }
        for reflectance in REFLECTANCES
    }
    chosen = there.get(request.reflectance, {})
    missing = [band for band in request.bands if band not in chosen]
    if not missing:
        return {band: contents.gdal_path(chosen[band]) for band in request.bands}
    message = (
        f"product {contents.path} lacks {request.reflectance} of {', '.join(missing)}; it has "
    )
    if not any(there.values()):
        raise ProductError(f"{message}none{_listed(contents)}: {_REMEDY}")
    message += f"{', '.join(chosen) or 'none'}. "
    for other, bands in there.items():
        if other != request.reflectance and not set(request.bands) - set(bands):
            message += f"It has {other} of all: set products.reflectance to {other}. "
    raise MissingBandError(
        f"{message}Take the product away, or list fewer bands under products.bands"
    )


def _listed(contents: Contents) -> str:
    """The first files of a product without bands, for a message."""
    names = contents.names
    if not names:
        return ", nor any other file"
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f", only {', '.join(names[:3])}{more}"


def _choose_masks(contents: Contents, files: Mapping[str, str], request: Request) -> dict[str, str]:
    """The file of each kind of mask that can rule out what is asked for, as GDAL opens it."""
    masks = {}
    for kind, names in _MASK_FILES.items():
        if ruled_out(kind, request.reasons, request.bands).any():
            found = [files[name] for name in names if name in files]
            if found:
                masks[kind] = contents.gdal_path(found[0])
            elif kind not in OPTIONAL_MASKS:
                raise ProductError(_no_mask(contents.path, request))
    return masks


def _no_mask(path: Path, request: Request) -> str:
    wanted = [reason for reason in ("cloud", "shadow") if reason in request.reasons]
    switches = " and ".join(f"products.masks.{reason}" for reason in wanted)
    return (
        f"product {path} has no cloud mask ({MASK_FOLDER}/*_CLM_R1.tif or *_CLM_R2.tif), so its "
        f"{' and '.join(f'{reason}s' for reason in wanted)} would pass for ground; download the "
        f"product again, take it away, or switch {switches} off"
    )


def _nodata(path: Path, bands: Mapping[str, str], told: TheiaMetadata) -> tuple[int, bool]:
    """Stored number of a pixel without measurement, and whether the product tells it."""
    in_files = declared_nodata(bands.values())
    if in_files is not None and told.nodata is not None and in_files != told.nodata:
        raise ProductError(
            f"{path}: nodata is {in_files} by the files of its bands, but {told.nodata} by "
            f"{told.source}; {_REMEDY}"
        )
    for number in (in_files, told.nodata):
        if number is not None:
            return number, True
    return NODATA, False
