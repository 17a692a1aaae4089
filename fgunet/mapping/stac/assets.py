"""The files of a run as assets of a STAC catalogue."""

import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

import numpy as np
import pyproj
import pystac
import rasterio
from pystac.extensions.classification import Classification, ClassificationExtension
from pystac.extensions.file import FileExtension
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.raster import (
    DataType,
    NoDataStrings,
    RasterBand,
    RasterExtension,
    Sampling,
)

from fgunet.errors import CatalogueError
from fgunet.grid import Grid
from fgunet.nomenclature import NODATA_CODE, Nomenclature
from fgunet.rasters import grid_of

Owner: TypeAlias = pystac.Item | pystac.Collection
PathLike: TypeAlias = str | os.PathLike[str]
_Gridded = TypeVar("_Gridded", pystac.Item, pystac.Asset)

MEDIA_TYPES = {
    ".tif": pystac.MediaType.COG,
    ".gpkg": pystac.MediaType.GEOPACKAGE,
    ".png": pystac.MediaType.PNG,
    ".html": pystac.MediaType.HTML,
    ".json": pystac.MediaType.JSON,
    ".csv": "text/csv",
    ".qml": pystac.MediaType.XML,
    ".sld": "application/vnd.ogc.sld+xml",
    # Both are archives that Keras and skops read.
    ".keras": "application/zip",
    ".skops": "application/zip",
}
"""Media type of a file, by its suffix."""

PROCESSING = "https://stac-extensions.github.io/processing/v1.1.0/schema.json"
"""Schema of the processing extension, which pystac has no class for."""


@dataclass(frozen=True)
class Product:
    """What a kind of map is: title, description, unit (UCUM) and whether it holds codes."""

    title: str
    description: str
    unit: str | None = None
    classified: bool = False


PRODUCTS = {
    "class": Product("class map", "Most probable class of each pixel.", classified=True),
    "regularised": Product(
        "regularised class map",
        "Class map after a majority filter, the removal of small patches, or both.",
        classified=True,
    ),
    "confidence": Product("confidence", "Probability of the most probable class.", "%"),
    "margin": Product(
        "margin", "Probability of the most probable class less that of the second.", "%"
    ),
    "probabilities": Product("class probabilities", "Probability of each class, one band a class."),
    "polygons": Product("polygons", "Class map as polygons, with class and mean confidence."),
}
"""Products of a method, by the last word of their file's name."""


@dataclass(frozen=True)
class MapFile:
    """A file ``{method}/{place}_{product}.{suffix}``; its place is a tile or "mosaic"."""

    path: Path
    method: str
    place: str
    product: str

    @classmethod
    def of(cls, path: PathLike) -> "MapFile":
        """Read method, place and product from a path.

        Raises
        ------
        CatalogueError
            If the name ends with no known product.
        """
        path = Path(path)
        place, _, product = path.stem.rpartition("_")
        if not place or product not in PRODUCTS:
            raise CatalogueError(
                f"{path} names no product of a map; expected "
                f"<method>/<tile>_<product> with one of {', '.join(PRODUCTS)}"
            )
        return cls(path, path.parent.name, place, product)


def add_file(
    owner: Owner,
    key: str,
    path: PathLike,
    folder: PathLike,
    *,
    title: str,
    roles: list[str],
    description: str | None = None,
) -> pystac.Asset:
    """Give an item or a collection an asset: relative address, title, type and size in bytes.

    The media type follows from the file's suffix.

    Parameters
    ----------
    owner : pystac.Item or pystac.Collection
        What the asset belongs to.
    key : str
        Name of the asset.
    path : path
        The file; it must exist.
    folder : path
        Folder of the owner's own file; the address is relative to it.
    title, roles, description
        As STAC has them.
    """
    href = Path(os.path.relpath(path, folder)).as_posix()
    asset = pystac.Asset(href, title, description, MEDIA_TYPES[Path(path).suffix], roles)
    owner.add_asset(key, asset)
    FileExtension.ext(asset, add_if_missing=True).size = Path(path).stat().st_size
    return asset


def add_map(
    owner: Owner,
    file: MapFile,
    folder: PathLike,
    *,
    label: str,
    nomenclature: Nomenclature,
    model_href: str,
) -> pystac.Asset:
    """Give an item or a collection a product of a method as asset ``{method}_{product}``.

    Parameters
    ----------
    owner, folder
        As `add_file` takes them.
    file : MapFile
        The product.
    label : str
        Name of the method, for readers.
    nomenclature : Nomenclature
        Classes of the map.
    model_href : str
        Address of the model's item, relative to the owner's file.
    """
    product = PRODUCTS[file.product]
    asset = add_file(
        owner,
        f"{file.method}_{file.product}",
        file.path,
        folder,
        title=f"{label}: {product.title}",
        description=product.description,
        roles=["data"],
    )
    # How the MLM extension names the model behind a result.
    expression = {"format": "stac-mlm", "expression": model_href}
    asset.extra_fields["processing:expression"] = expression
    if file.path.suffix == ".tif":
        describe_bands(asset, file.path, unit=product.unit)
    if product.classified:
        found = classes_of(nomenclature)
        ClassificationExtension.ext(asset, add_if_missing=True).classes = found
    return asset


def describe_bands(asset: pystac.Asset, path: PathLike, *, unit: str | None = None) -> None:
    """Tell the bands of an asset as they are in its file (raster extension).

    Without `unit`, bands that have names hold probabilities: in percent where they are integers,
    0 to 1 where they are not.
    """
    with rasterio.open(path) as dataset:
        kinds = zip(dataset.dtypes, dataset.nodatavals, dataset.descriptions, strict=True)
        resolution = _metres(grid_of(dataset))
    bands = []
    for data_type, nodata, name in kinds:
        share = "%" if np.issubdtype(np.dtype(data_type), np.integer) else "1"
        band = RasterBand.create(
            nodata=_json_number(nodata),
            sampling=Sampling.AREA,
            data_type=DataType(data_type),
            spatial_resolution=resolution,
            unit=unit or (share if name else None),
        )
        if name:
            band.properties["name"] = name
        bands.append(band)
    RasterExtension.ext(asset, add_if_missing=True).bands = bands


def _json_number(nodata: float | None) -> float | NoDataStrings | None:
    if nodata is None:
        return None
    if np.isnan(nodata):
        return NoDataStrings.NAN
    return int(nodata) if nodata.is_integer() else nodata


def _metres(grid: Grid) -> float | None:
    """Pixel size in metres; None where the coordinate system has degrees."""
    crs = pyproj.CRS(grid.crs)
    if not crs.is_projected:
        return None
    return grid.resolution[0] * float(crs.axis_info[0].unit_conversion_factor)


def describe_grid(of: _Gridded, grid: Grid) -> None:
    """Tell the grid of an item or asset (projection extension)."""
    ProjectionExtension.ext(of, add_if_missing=True).apply(
        code=grid.crs,
        bbox=list(grid.bounds),
        shape=list(grid.shape),
        transform=list(grid.transform),
    )


def classes_of(nomenclature: Nomenclature) -> list[Classification]:
    """Nodata and the classes of a nomenclature, by rising code (classification extension)."""
    names = _machine_names(nomenclature)
    nodata = Classification.create(NODATA_CODE, "no data", names[NODATA_CODE], "no data")
    nodata.nodata = True
    return [
        nodata,
        *(
            Classification.create(
                c.code,
                # Version 1.1 of the extension, which models refer to, wants a description.
                c.name,
                names[c.code],
                c.name,
                color_hint="{:02X}{:02X}{:02X}".format(*c.colour),
            )
            for c in nomenclature.classes
        ),
    ]


def _machine_names(nomenclature: Nomenclature) -> dict[int, str]:
    """A plain name of each code; all end with their codes where one would be empty or repeat."""
    names = {NODATA_CODE: "nodata"} | {c.code: slug(c.name) for c in nomenclature.classes}
    if all(names.values()) and len(set(names.values())) == len(names):
        return names
    return {code: f"{name or 'class'}_{code}" for code, name in names.items()}


def slug(text: str) -> str:
    """`text` in lower case letters, digits and underscores, without accents; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
