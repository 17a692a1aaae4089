"""A series as a labelled dataset, for notebooks and analyses."""

import os

import numpy as np
import xarray

from fgunet.series.store import SeriesStore


def open_as_xarray(path: str | os.PathLike[str]) -> xarray.Dataset:
    """Open a series with its labels; pixels are read when they are used.

    Apart from the store, because importing xarray takes longer than reading a small series.

    Parameters
    ----------
    path : path
        Folder that `fgunet.series.store.create_series` wrote.

    Returns
    -------
    xarray.Dataset
        ``series`` (time, band, y, x), uint16 reflectance x 10000, 65535 where never valid, and
        ``clear_count`` (y, x), uint16 days; coordinates time (datetime64), band (names), x and y
        (centres of the pixels, in units of the CRS, which stands in the attribute ``crs``).

    Raises
    ------
    SeriesError
        If there is no series at `path`.
    """
    store = SeriesStore(path)
    # Without masking, uint16 stays uint16; chunks=None keeps dask out.
    dataset: xarray.Dataset = xarray.open_zarr(
        store.path, consolidated=False, zarr_format=3, chunks=None, mask_and_scale=False
    )
    a, _, c, _, e, f = store.grid.transform
    labelled: xarray.Dataset = dataset.assign_coords(
        time=np.array(
            [f"{day[:4]}-{day[4:6]}-{day[6:]}" for day in store.dates], dtype="datetime64[ns]"
        ),
        band=list(store.bands),
        y=f + e * (np.arange(store.grid.height) + 0.5),
        x=c + a * (np.arange(store.grid.width) + 0.5),
    )
    labelled.attrs = {"tile": store.tile, "crs": store.grid.crs, "nodata": store.nodata}
    return labelled
