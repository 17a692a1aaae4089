"""The canvas on which a landscape is painted, cell by cell."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fgunet.simulate.catalogue import Catalogue, Cover
from fgunet.simulate.noise import smooth_noise


def draw_index(
    rng: np.random.Generator, weights: Mapping[str, float], size: int
) -> NDArray[np.int64]:
    """Draw `size` places in `weights`, by weight."""
    shares = np.array(list(weights.values()), dtype=float)
    return rng.choice(len(shares), size=size, p=shares / shares.sum())


@dataclass
class Canvas:
    """Rasters of a landscape while it is made, all (y, x) on one grid of square cells.

    Attributes
    ----------
    cover, material : uint8
        Numbers in the catalogue.
    unit : uint32
        Mapping unit (a field, a stand, a block of houses): what a database draws.
    thing : uint32
        What varies as one in reflectance (a field, a house, a garden).
    height : float32
        Rank of the height, 0..1.
    built : bool
        True where a town stands.
    """

    catalogue: Catalogue
    cell_m: float
    height: NDArray[np.float32]
    cover: NDArray[np.uint8] = field(init=False)
    material: NDArray[np.uint8] = field(init=False)
    unit: NDArray[np.uint32] = field(init=False)
    thing: NDArray[np.uint32] = field(init=False)
    built: NDArray[np.bool_] = field(init=False)
    last_id: int = 0

    def __post_init__(self) -> None:
        self.cover = np.zeros(self.shape, dtype=np.uint8)
        self.material = np.zeros(self.shape, dtype=np.uint8)
        self.unit = np.zeros(self.shape, dtype=np.uint32)
        self.thing = np.zeros(self.shape, dtype=np.uint32)
        self.built = np.zeros(self.shape, dtype=bool)

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) in cells."""
        return self.height.shape[0], self.height.shape[1]

    def new_ids(self, count: int) -> int:
        """The first of `count` identifiers that nothing else has."""
        first = self.last_id + 1
        self.last_id += count
        return first

    def open_ground(self) -> NDArray[np.bool_]:
        """Where towns may be built."""
        table = np.array([cover.open for cover in self.catalogue.covers])
        return table[self.cover]

    def paint(
        self,
        rng: np.random.Generator,
        where: NDArray[np.bool_],
        parts: NDArray[np.int64],
        count: int,
        covers: Mapping[str, float],
    ) -> None:
        """Paint the cells `where` (y, x); each of `count` parts gets one cover by weight.

        Parameters
        ----------
        parts : int64 (y, x)
            Number of the part each cell belongs to, 0 .. count - 1.
        """
        first = self.new_ids(count)
        names = list(covers)
        choice = draw_index(rng, covers, count)
        for i, name in enumerate(names):
            chosen = where & (choice == i)[parts]
            cover = self.catalogue.covers[self.catalogue.cover_numbers[name]]
            self.cover[chosen] = self.catalogue.cover_numbers[name]
            self.material[chosen] = self._materials(rng, cover, parts)[chosen]
        self.unit[where] = (first + parts[where]).astype(np.uint32)
        self.thing[where] = self.unit[where]

    def _materials(
        self, rng: np.random.Generator, cover: Cover, parts: NDArray[np.int64]
    ) -> NDArray[np.uint8]:
        numbers = [self.catalogue.material_numbers[name] for name in cover.materials]
        shares = np.cumsum(list(cover.materials.values()))
        if len(numbers) == 1:
            return np.full(self.shape, numbers[0], dtype=np.uint8)
        if cover.rows_m:
            period = round(2 * cover.rows_m / self.cell_m)
            rows, cols = np.indices(self.shape)
            level = (np.where(parts % 2, rows, cols) % period) / period
        elif cover.grain_m > self.cell_m:
            level = ndtr(smooth_noise(rng, self.shape, 2 * cover.grain_m / self.cell_m, 1))
        else:
            level = rng.random(self.shape)
        place = np.searchsorted(shares / shares[-1], level, side="right")
        table = np.array(numbers, dtype=np.uint8)
        drawn: NDArray[np.uint8] = table[np.minimum(place, len(numbers) - 1)]
        return drawn
