"""Finding files that cannot be used before any work is done with them."""

import rasterio

from fgunet.errors import ProductError
from fgunet.grid import Window
from fgunet.rasters import rasterio_window
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.images import open_image, require_reflectance
from fgunet.sentinel2.product_grid import unreadable
from fgunet.sentinel2.unpacking import require_unpackable


def require_whole(acquisition: Acquisition) -> None:
    """Hold the files of an acquisition against what reading all of their blocks takes.

    Each has one band; a packed one can be unpacked; one of reflectance has numbers of the right
    type. The last block of each is read: writers lay the blocks out in order, so a download that
    stopped lacks it.

    Raises
    ------
    ProductError
        If a file is otherwise.
    """
    for path in (*acquisition.bands.values(), *acquisition.masks.values()):
        try:
            with open_image(path) as dataset:
                _require_one_band(path, dataset)
                if path in acquisition.bands.values():
                    require_reflectance(path, dataset.dtypes[0])
                height, width = dataset.block_shapes[0]
                row = (dataset.height - 1) // height * height
                col = (dataset.width - 1) // width * width
                last = Window(row, col, dataset.height - row, dataset.width - col)
                dataset.read(1, window=rasterio_window(last))
        except rasterio.errors.RasterioError as error:
            raise ProductError(unreadable(path, error)) from error
        require_unpackable(path, acquisition.grid)


def _require_one_band(path: str, dataset: rasterio.DatasetReader) -> None:
    if dataset.count != 1:
        raise ProductError(
            f"{path} has {dataset.count} bands; a file of a product has one. Download the product "
            "again, or take it away"
        )
