"""How a patch is laid around a pixel."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fgunet.errors import PatchError
from fgunet.grid import Window


@dataclass(frozen=True)
class Frame:
    """The side of patches and their greatest shift, in pixels.

    A patch is laid with the drawn pixel in its middle, shifted by up to `jitter` rows and columns,
    and pushed inside the tile where it would leave it. The pixel always lies in it.

    Raises
    ------
    PatchError
        If a shift could lose the pixel.
    """

    size: int
    jitter: int

    def __post_init__(self) -> None:
        if self.size < 1 or not 0 <= self.jitter < (self.size + 1) // 2:
            raise PatchError(
                f"a patch of {self.size} pixels with a jitter of {self.jitter} could lose its "
                "pixel; the jitter must be at least 0 and less than half the patch"
            )

    @property
    def shifts(self) -> NDArray[np.int64]:
        """All shifts, rising."""
        return np.arange(-self.jitter, self.jitter + 1)

    def starts(self, pixels: ArrayLike, shifts: ArrayLike, length: int) -> NDArray[np.int64]:
        """The first row (or column), of `length`, of patches around pixels, shifted."""
        middle = np.asarray(pixels, np.int64) - self.size // 2
        return np.clip(middle + np.asarray(shifts, np.int64), 0, length - self.size)

    def window(
        self, pixel: tuple[int, int], shift: NDArray[np.int64], shape: tuple[int, int]
    ) -> Window:
        """The patch around a pixel (row, column) of a tile, shifted by (rows, columns)."""
        row, col = (int(self.starts(*each)) for each in zip(pixel, shift, shape, strict=True))
        return Window(row, col, self.size, self.size)
