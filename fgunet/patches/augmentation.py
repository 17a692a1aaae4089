"""Augmentation: the eight symmetries of a square."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import PatchError

_Value = TypeVar("_Value", bound=np.generic)


@dataclass(frozen=True)
class Symmetry:
    """A transpose, then flips of rows and of columns, each done or not."""

    transpose: bool = False
    flip_rows: bool = False
    flip_cols: bool = False

    @classmethod
    def draw(cls, generator: np.random.Generator) -> "Symmetry":
        """One of the eight, uniformly (three draws)."""
        transpose, flip_rows, flip_cols = (bool(bit) for bit in generator.integers(2, size=3))
        return cls(transpose, flip_rows, flip_cols)

    def apply(self, image: NDArray[_Value]) -> NDArray[_Value]:
        """Turn a square image about its last two dimensions.

        Parameters
        ----------
        image : ndarray (..., y, x)
            Series or labels of a patch, any dtype; y = x.

        Returns
        -------
        ndarray (..., y, x)
            A view of the same values.

        Raises
        ------
        PatchError
            If the image is not square.
        """
        if image.ndim < 2 or image.shape[-1] != image.shape[-2]:
            raise PatchError(f"a patch of shape {image.shape} is not square in its last two")
        if self.transpose:
            image = np.swapaxes(image, -1, -2)
        if self.flip_rows:
            image = image[..., ::-1, :]
        if self.flip_cols:
            image = image[..., ::-1]
        return image

    def landing(self, side: int) -> tuple[int, int, int]:
        """Where the pixels of a square land, for loops that turn it while they write it.

        Parameters
        ----------
        side : int
            Rows and columns of the square.

        Returns
        -------
        first, per_row, per_col : int
            Pixel (row, column) of the square becomes pixel ``first + per_row * row + per_col *
            column`` of the turned square, counted by rows.
        """
        last = side - 1
        down = -side if self.flip_rows else side
        across = -1 if self.flip_cols else 1
        first = last * side * self.flip_rows + last * self.flip_cols
        return (first, across, down) if self.transpose else (first, down, across)
