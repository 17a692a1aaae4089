"""Opening the images of products."""

import rasterio
from rasterio.errors import RasterioIOError

_GEOTIFF, _JPEG2000 = "GTiff", "JP2OpenJPEG"


def open_image(path: str) -> rasterio.DatasetReader:
    """Open a GeoTIFF or a JPEG 2000 file, and nothing else.

    GDAL knows formats that stand for other files, addresses and programs (VRT and its like), and
    knows them by their content. A product's file may not be one: it holds its own pixels.

    Parameters
    ----------
    path : str
        The file, as GDAL opens it. What its name says is tried first.

    Raises
    ------
    rasterio.errors.RasterioIOError
        If it is of another format, or cannot be opened.
    """
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
