"""A convolution of enlarged maps that does not enlarge them."""

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray


class EnlargingConvolution(keras.layers.Layer):  # type: ignore[misc]
    """What enlargement, skip connection and the convolution behind them give, in less time.

    A 3 x 3 convolution of maps that were enlarged twice (nearest) meets each coarse pixel in two
    rows and two columns of its kernel, or in one. Which, depends only on whether the row and the
    column are odd. So the same sums come from a 2 x 2 convolution of the coarse maps, whose weights
    are sums of the kernel's: four weights a coarse map instead of nine, and nothing to enlarge.

    A pixel of the 2 x 2 convolution lies on the corner of four coarse pixels; it gives the four
    fine pixels around that corner.

    Parameters
    ----------
    convolution : keras.layers.Conv2D
        3 x 3, 'same', with ReLU, of (coarse maps enlarged, fine maps). Its weights are copied.
    coarse_maps : int
        How many of its maps are the enlarged ones.
    """

    def __init__(self, convolution: Any, coarse_maps: int) -> None:
        super().__init__(dtype=convolution.dtype_policy, name=convolution.name)
        kernel, self._bias = convolution.get_weights()
        self._coarse, self._fine = (
            corner_kernel(kernel[:, :, :coarse_maps]),
            kernel[:, :, coarse_maps:],
        )

    def call(self, maps: tuple[Any, Any]) -> Any:
        """Maps (image, 2 y, 2 x, map) of coarse ones (image, y, x, map) and fine ones."""
        coarse, fine = maps
        kernels = (ops.cast(kernel, self.compute_dtype) for kernel in (self._coarse, self._fine))
        of_coarse, of_fine = kernels
        edge = [[0, 0], [1, 1], [1, 1], [0, 0]]
        corners = ops.conv(ops.pad(coarse, edge), of_coarse, padding="valid")
        enlarged = _spread(corners)[:, 1:-1, 1:-1]
        bias = ops.cast(self._bias, self.compute_dtype)
        return ops.relu(ops.conv(fine, of_fine, padding="same") + bias + enlarged)


def corner_kernel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Weights (2, 2, map, 4 x output) of corners that a kernel (3, 3, map, output) comes to.

    The outputs are those of the fine pixels up left, up right, down left and down right of a
    corner. One up or left of it lies in the second half of its coarse pixel: its kernel's first two
    rows (columns) fall onto this one, the last onto the next. One down or right lies in a first
    half: the first row falls onto the coarse pixel before, the last two onto its own.
    """
    halves = np.array([[[1, 1, 0], [0, 0, 1]], [[1, 0, 0], [0, 1, 1]]], np.float64)
    corners: NDArray[np.float64] = np.einsum("pir,qjs,rsmo->ijmpqo", halves, halves, kernel)
    return corners.reshape(2, 2, kernel.shape[2], -1).astype(np.float32)


def _spread(corners: Any) -> Any:
    """Four pixels (image, 2 y, 2 x, map) of each corner (image, y, x, 4 x map)."""
    _, height, width, count = ops.shape(corners)
    four = ops.reshape(corners, (-1, height, width, 2, 2, count // 4))
    rows = ops.transpose(four, (0, 1, 3, 2, 4, 5))
    return ops.reshape(rows, (-1, 2 * height, 2 * width, count // 4))
