"""A series as a labelled dataset, for notebooks and analyses."""

import os

import xarray

from fgunet.series.store import SeriesStore


def open_as_xarray(path: str | os.PathLike[str]) -> xarray.Dataset:
    """Open a series with its labels; pixels are read when they are used.

    `xarray.open_zarr` opens it too, then with reflectance as floating point numbers and NaN where
    never valid; here the stored numbers stay as they are. Apart from the store, because importing
    xarray takes longer than reading a small series.

    Parameters
    ----------
    path : path
        Folder that `fgunet.series.stacking.stack_series` wrote.

    Returns
    -------
    xarray.Dataset
        ``series`` (time, band, y, x), uint16 reflectance x 10000, 65535 where never valid;
        ``clear_count``, ``longest_gap`` and ``bridged_count`` (y, x), uint16, as
        `SeriesStore.read_counts` gives them; coordinates time (datetime64), band (names), x and y
        (centres of the pixels, in units of the CRS, which is that of ``spatial_ref``).

    Raises
    ------
    SeriesError
        If there is no series at `path`.
    """
    store = SeriesStore(path)
    # Without masking, uint16 stays uint16; chunks=None keeps dask out.
    dataset: xarray.Dataset = xarray.open_zarr(
        store.path, zarr_format=3, chunks=None, mask_and_scale=False
    )
    return dataset
