"""Opening the images of products."""

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
