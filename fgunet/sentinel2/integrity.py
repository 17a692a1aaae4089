"""Finding files that are not whole before any work is done with them."""

import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Window
from fgunet.rasters import rasterio_window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.images import open_image
from fgunet.sentinel2.product_grid import unreadable


def require_whole(acquisition: Acquisition) -> None:
    """Read the last block of each file: what was cut short does not have it.

    Writers lay the blocks out in order, so a download that stopped lacks the last one.

    Raises
    ------
    ProductError
        If a file cannot be read to its end.
    """
    for path in (*acquisition.bands.values(), *acquisition.masks.values()):
        try:
            with open_image(path) as dataset:
                height, width = dataset.block_shapes[0]
                row = (dataset.height - 1) // height * height
                col = (dataset.width - 1) // width * width
                last = Window(row, col, dataset.height - row, dataset.width - col)
                dataset.read(1, window=rasterio_window(last))
        except rasterio.errors.RasterioError as error:
            raise ProductError(unreadable(path, error)) from error
