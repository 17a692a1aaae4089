"""Dilation of masks."""

import numpy as np
from numpy.typing import NDArray


def dilate(flagged: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """Flag all pixels within a distance of a flagged one, by the Euclidean distance of centres.

    Parameters
    ----------
    flagged : ndarray of bool, shape (y, x)
        Pixels of a mask.
    radius : float
        Distance in pixels; a pixel just so far away is flagged.

    Returns
    -------
    ndarray of bool, shape (y, x)
    """
    if not flagged.any():
        return flagged.copy()
    # Takes a third of a second, and few need it.
    from scipy import ndimage  # noqa: PLC0415

    near: NDArray[np.bool_] = ndimage.distance_transform_edt(~flagged) <= radius + 1e-9
    return near
