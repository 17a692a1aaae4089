"""Products of the Theia land data centre (format MUSCATE, made by MAJA).

Format: https://www.cesbio.cnrs.fr/maja/sentinel-2-output-format/
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from fgunet.errors import GridError, MissingAcquisitionError, ProductError
from fgunet.grid import Grid
from fgunet.rasters import read_grid
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.theia_format import (
    MASK_FOLDER,
    NODATA,
    PRODUCT_NAME,
    REFLECTANCES,
    SCALE,
)


def list_products(folder: str | os.PathLike[str]) -> dict[str, list[Path]]:
    """List the product folders at any depth below `folder`, by tile, each tile's by name.

    Links to folders are followed. Where there is no such folder, there is no product.
    """
    by_tile: dict[str, list[Path]] = {}
    if Path(folder).is_dir():
        for path in _walk(Path(folder), set()):
            match = PRODUCT_NAME.fullmatch(path.name)
            if match:
                by_tile.setdefault(match["tile"], []).append(path)
    return {tile: sorted(by_tile[tile], key=lambda path: (path.name, path)) for tile in by_tile}


def find_products(folder: str | os.PathLike[str], tile: str) -> list[Path]:
    """The product folders of a tile, at any depth below `folder`, by name.

    Parameters
    ----------
    folder : path
        Folder that is searched; links to folders are followed.
    tile : str
        Name of the tile ("T31TCJ").

    Raises
    ------
    MissingAcquisitionError
        If there is no such folder, or no product of the tile in it.
    """
    if not Path(folder).is_dir():
        raise MissingAcquisitionError(
            f"there is no folder {folder} to look for products of {tile} in; "
            "correct products.folder in the configuration"
        )
    found = list_products(folder).get(tile)
    if not found:
        raise MissingAcquisitionError(
            f"{folder} holds no Theia product of tile {tile}, at any depth; expected folders like "
            f"SENTINEL2A_20180101-105432-457_L2A_{tile}_C_V2-2: unzip the products there, "
            "or take the tile out of the configuration"
        )
    return found


def _walk(folder: Path, seen: set[str]) -> Iterator[Path]:
    """Product folders below `folder`; each real folder is entered once, so links may loop."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        if PRODUCT_NAME.fullmatch(path.name):
            yield path
        else:
            yield from _walk(path, seen)


def read_product(
    path: str | os.PathLike[str], *, reflectance: str, bands: Sequence[str]
) -> Acquisition:
    """Describe one product folder.

    Parameters
    ----------
    path : path
        The product's folder.
    reflectance : str
        "FRE" or "SRE".
    bands : sequence of str
        Names of the bands asked for, keys of `BANDS`.

    Raises
    ------
    ProductError
        If the folder's name is not a product's, a band or the cloud mask is missing, or a file's
        grid does not fit the 10 m grid.
    """
    path = Path(path)
    match = PRODUCT_NAME.fullmatch(path.name)
    if match is None:
        raise ProductError(f"{path} is not named like a Theia product ({PRODUCT_NAME.pattern})")
    band_files = _find_bands(path, reflectance, bands)
    masks = _find_masks(path)
    grid = _ten_metre_grid(path.name, band_files)
    for name in [*band_files.values(), *masks.values()]:
        _require_fit(name, grid)
    day, clock = match["date"], match["time"]
    return Acquisition(
        product=path.name,
        family="theia",
        tile=match["tile"],
        time=(
            f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"
            f".{match['milliseconds']}"
        ),
        platform=match["platform"],
        version=f"{match['level']}_V{match['version']}",
        grid=grid,
        bands={band: str(file) for band, file in band_files.items()},
        masks={kind: str(file) for kind, file in masks.items()},
        scale=SCALE,
        offset=0.0,
        nodata=NODATA,
    )


def _find_bands(path: Path, reflectance: str, bands: Sequence[str]) -> dict[str, Path]:
    """The file of each band asked for."""
    if reflectance not in REFLECTANCES:
        raise ProductError(
            f"Theia products have no reflectance {reflectance!r}; "
            f"products.reflectance must be one of {', '.join(REFLECTANCES)}"
        )
    unknown = [band for band in bands if band not in BANDS]
    if unknown or not bands:
        raise ProductError(
            f"products.bands lists {', '.join(unknown) or 'no band'}; "
            f"known bands are {', '.join(BANDS)}"
        )
    there = {
        name: file
        for name, band in BANDS.items()
        if (file := _find_file(path, f"{reflectance}_{band.theia_name}"))
    }
    missing = [band for band in bands if band not in there]
    if missing:
        raise ProductError(
            f"product {path} lacks {reflectance} of {', '.join(missing)}; "
            f"it has {', '.join(there) or 'none'}. Take the product away, "
            "or list fewer bands under products.bands"
        )
    return {band: there[band] for band in bands}


def _find_masks(path: Path) -> dict[str, Path]:
    """The file of each kind of mask that is there; 10 m is preferred to 20 m."""
    wanted = {
        "CLM": ("CLM_R1", "CLM_R2"),
        "EDG": ("EDG_R1", "EDG_R2"),
        "SAT_R1": ("SAT_R1",),
        "SAT_R2": ("SAT_R2",),
    }
    masks = {}
    for kind, names in wanted.items():
        files = [file for name in names if (file := _find_file(path / MASK_FOLDER, name))]
        if files:
            masks[kind] = files[0]
    if "CLM" not in masks:
        raise ProductError(
            f"product {path} has no cloud mask (MASKS/*_CLM_R1.tif or *_CLM_R2.tif), so its "
            "clouds would pass for ground; download the product again, or take it away"
        )
    return masks


def _find_file(folder: Path, ending: str) -> Path | None:
    """The first file by name that ends so, or None."""
    return min(folder.glob(f"*_{ending}.tif"), default=None)


def _ten_metre_grid(product: str, files: dict[str, Path]) -> Grid:
    """The grid of the first 10 m band, or the first 20 m band's with pixels half as large."""
    name = min(files, key=lambda band: BANDS[band].resolution_m)
    grid = _read_grid(files[name])
    factor = BANDS[name].resolution_m // 10
    if factor == 1:
        return grid
    a, _, c, _, e, f = grid.transform
    return Grid(
        grid.crs,
        (a / factor, 0.0, c, 0.0, e / factor, f),
        grid.height * factor,
        grid.width * factor,
    )


def _require_fit(path: Path, grid: Grid) -> None:
    """Refuse a file that lies neither on `grid` nor on `grid` with pixels twice as large."""
    found = _read_grid(path)
    fitting = [grid]
    if grid.height % 2 == 0 and grid.width % 2 == 0:
        fitting.append(grid.coarsened(2))
    if found not in fitting:
        raise ProductError(
            f"{path} lies on {found}; the product's 10 m grid is {grid}, and each 20 m pixel must "
            "cover exactly four of its pixels, from the same upper left corner. Download the "
            "product again, or crop its 10 m and 20 m files to the same ground"
        )


def _read_grid(path: Path) -> Grid:
    try:
        return read_grid(path)
    except (OSError, GridError) as error:
        raise ProductError(
            f"{path} cannot be read ({error}); download the product again, or take it away"
        ) from error
