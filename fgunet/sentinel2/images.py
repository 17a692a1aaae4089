"""Opening the images of products."""

from collections.abc import Iterable, Sequence

import numpy as np
import rasterio
from numpy.typing import DTypeLike
from rasterio.errors import RasterioIOError

from fgunet.errors import ProductError
from fgunet.sentinel2.contents import is_special

_GEOTIFF, _JPEG2000 = "GTiff", "JP2OpenJPEG"


def open_image(path: str) -> rasterio.DatasetReader:
    """Open a GeoTIFF or a JPEG 2000 file, and nothing else.

    GDAL knows formats that stand for other files, addresses and programs (VRT and its like), and
    knows them by their content. A product's file may not be one: it holds its own pixels. Nor does
    what lies beside it (.aux.xml, .msk, .ovr) tell anything of them: it is not looked for.

    Parameters
    ----------
    path : str
        The file, as GDAL opens it. What its name says is tried first.

    Raises
    ------
    rasterio.errors.RasterioIOError
        If it is of another format, no plain file, or cannot be opened.
    """
    if is_special(path):
        raise RasterioIOError("it is no plain file")
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        return _open(path)


def _open(path: str) -> rasterio.DatasetReader:
    likely, other = _GEOTIFF, _JPEG2000
    if path.partition("?")[0].lower().endswith(".jp2"):
        likely, other = other, likely
    try:
        return rasterio.open(path, driver=likely)
    except RasterioIOError as error:
        try:
            return rasterio.open(path, driver=other)
        except RasterioIOError:
            raise error from error.__cause__


def require_reflectance(path: str, dtype: DTypeLike) -> None:
    """Raise ProductError if a band's numbers are of a type that reflectance is not stored in."""
    if np.dtype(dtype) not in (np.uint8, np.int16, np.uint16):
        raise ProductError(
            f"{path} holds numbers of type {np.dtype(dtype)}; reflectance comes in whole numbers "
            "of 16 bits. Download the product again, or take it away"
        )


def require_mask(path: str, dtype: DTypeLike) -> None:
    """Raise ProductError if a mask's numbers are of a type that is not whole."""
    # GDAL has types that numpy lacks.
    if str(dtype).rstrip("0123456789") not in ("int", "uint"):
        raise ProductError(
            f"{path} holds numbers of type {dtype}; a mask has whole numbers, 0 to 255. Download "
            "the product again, or take it away"
        )


def require_dtypes(
    bands: Iterable[str], masks: Iterable[str], *, dtypes: Sequence[str], nodata: int
) -> None:
    """Refuse files whose numbers are of a type that their format does not have.

    Parameters
    ----------
    bands, masks : iterable of str
        Files that can be opened, as GDAL does.
    dtypes : sequence of str
        Types that the format stores reflectance in.
    nodata : int
        Stored number of a pixel without measurement.

    Raises
    ------
    ProductError
        If a band is of another type, or of one that cannot hold `nodata`, or a mask's numbers are
        not whole.
    """
    for path in bands:
        dtype = _dtype(path)
        if dtype not in dtypes:
            raise ProductError(
                f"{path} holds numbers of type {dtype}; bands of its format have "
                f"{' or '.join(dtypes)}. Download the product again, or take it away"
            )
        if not np.iinfo(dtype).min <= nodata <= np.iinfo(dtype).max:
            raise ProductError(
                f"{path} holds numbers of type {dtype}, which cannot be {nodata:g}, the number of "
                "pixels without measurement: these would pass for ground. Download the product "
                "again, or take it away"
            )
    for path in masks:
        require_mask(path, _dtype(path))


def _dtype(path: str) -> str:
    with open_image(path) as dataset:
        return str(dataset.dtypes[0])
