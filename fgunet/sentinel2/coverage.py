"""How much of an acquisition shows the ground."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fgunet.grid import Window, split_windows
from fgunet.sentinel2.acquisition import Acquisition
from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.masks import MASK_KINDS, SPREADING, Masking, ruled_out
from fgunet.sentinel2.reading import AcquisitionReader
from fgunet.sentinel2.resampling import repeat

_SCAN = 2048
"""Side of the windows that are looked through, in 10 m pixels."""

_NO_MASKS = Masking(())


def holds_data(acquisition: Acquisition) -> bool:
    """Whether any pixel has data in all bands (masks are not looked at).

    The files are read by windows until the first such pixel, so the answer is exact. The 20 m
    bands come first: where they are empty, the larger files are not read.

    Raises
    ------
    ProductError
        If a file cannot be read.
    """
    order = sorted(acquisition.bands, key=lambda band: -BANDS[band].resolution_m)
    with AcquisitionReader(acquisition, (), _NO_MASKS) as reader:
        return any(
            _holds_data(reader, acquisition, order, window)
            for window in split_windows(acquisition.grid.shape, _SCAN)
        )


def _holds_data(
    reader: AcquisitionReader, acquisition: Acquisition, bands: Sequence[str], window: Window
) -> bool:
    present = np.ones(window.shape, bool)
    for band in bands:
        stored, factor = reader.read_file(acquisition.bands[band], window)
        present &= _fine(stored != acquisition.nodata, factor)
        if not present.any():
            return False
    return True


def cloud_share(acquisition: Acquisition, reasons: Sequence[str]) -> float:
    """Share of the pixels with data that lie under a cloud or in its shadow, 0..1.

    Parameters
    ----------
    acquisition : Acquisition
        An acquisition that holds data.
    reasons : sequence of str
        Reasons that count; those that are neither clouds nor shadows are passed over.

    Returns
    -------
    float
        Pixels are counted where the coarsest band has data.

    Raises
    ------
    ProductError
        If a file cannot be read.
    """
    counted = [reason for reason in reasons if reason in SPREADING]
    telling = {
        kind: ruled_out(kind, counted, ())
        for kind in acquisition.masks
        if any(reason in MASK_KINDS[kind] for reason in counted)
    }
    band = max(acquisition.bands, key=lambda name: BANDS[name].resolution_m)
    present = hidden = 0
    with AcquisitionReader(acquisition, (), _NO_MASKS) as reader:
        for window in split_windows(acquisition.grid.shape, _SCAN):
            stored, factor = reader.read_file(acquisition.bands[band], window)
            data = _fine(stored != acquisition.nodata, factor)
            clouded = np.zeros(window.shape, bool)
            for kind, table in telling.items():
                mask, factor = reader.read_mask(kind, window)
                clouded |= _fine(table[mask], factor)
            present += int(np.count_nonzero(data))
            hidden += int(np.count_nonzero(data & clouded))
    return hidden / present if present else 0.0


def _fine(coarse: NDArray[np.bool_], factor: int) -> NDArray[np.bool_]:
    return coarse if factor == 1 else repeat(coarse)
