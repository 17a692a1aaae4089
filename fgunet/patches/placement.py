"""Where patches lie: around pixels drawn uniformly by class, over all tiles."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import PatchError
from fgunet.grid import Window
from fgunet.logs import Progress
from fgunet.patches.avoidance import Avoidance, ReadGround
from fgunet.patches.counting import Runs, rank_within
from fgunet.patches.drawable import DrawablePixels
from fgunet.patches.framing import Frame
from fgunet.patches.labels import Labels
from fgunet.patches.random import sample_generator
from fgunet.patches.wording import listed

BLOCK = 64
"""Side of the blocks by which labelled pixels are ranked, in pixels."""

HELD_BYTES = 64 * 2**20
"""About the memory that counts may take; where it is short, more blocks are counted together."""


@dataclass(frozen=True)
class Place:
    """A patch: the number of its tile, its window there, and the class it was drawn for."""

    tile: int
    window: Window
    label: int


class Placement:
    """Draws patches: a class uniformly, then a pixel of it uniformly over all tiles.

    Only counts are held, not the labels: a drawn pixel is found by reading its surroundings. The
    memory they take changes how much is read for that, and not what is drawn.

    Parameters
    ----------
    tiles : sequence of Labels
        Labels of one split of each tile.
    n_classes : int
        Number of classes.
    size : int
        Side of a patch in pixels.
    jitter : int
        Greatest shift of the drawn pixel from the patch's middle, in pixels.
    names : sequence of str, optional
        Names of the tiles, for messages; by default their numbers.
    split : str
        Name of the split, for messages.
    avoided : sequence of callable, optional
        For each tile, reads the ground that no patch may show. A pixel is then drawable if one of
        its shifts gives a patch clear of it: it is drawn uniformly from the drawable pixels of
        its class, and its shift uniformly from those.
    block : int
        Side of the blocks by which pixels are ranked.
    held_bytes : int
        About the memory of the counts.

    Raises
    ------
    PatchError
        If a tile is smaller than a patch, the jitter could lose the pixel, or no tile has a
        labelled pixel that can be drawn.

    Attributes
    ----------
    names : tuple of str
        Names of the tiles.
    """

    def __init__(
        self,
        tiles: Sequence[Labels],
        *,
        n_classes: int,
        size: int,
        jitter: int,
        names: Sequence[str] | None = None,
        split: str = "reference",
        avoided: Sequence[ReadGround] | None = None,
        block: int = BLOCK,
        held_bytes: int = HELD_BYTES,
    ) -> None:
        self._frame = Frame(size, jitter)
        self.names = tuple(names or (str(number) for number in range(len(tiles))))
        _check_tiles(tiles, self.names, avoided, size)
        length = run_length([t.grid.shape for t in tiles], n_classes, block, held_bytes)
        self._tiles: list[DrawablePixels] = []
        progress = Progress("tiles with their labelled pixels counted", len(tiles))
        for number, labels in enumerate(tiles):
            shape = labels.grid.shape
            avoidance = Avoidance(avoided[number], shape, self._frame) if avoided else None
            runs = Runs(shape, block, length)
            self._tiles.append(DrawablePixels(labels, avoidance, runs, n_classes))
            progress.advance()
        # Drawable pixels of a class up to and with each tile.
        by_tile = np.stack([tile.counts for tile in self._tiles], axis=1)
        self._cumulative = np.cumsum(by_tile, axis=1, dtype=np.int64)
        self._present = np.flatnonzero(self.counts)
        if not self._present.size:
            raise PatchError(self._nothing_to_draw(split))

    @property
    def size(self) -> int:
        """Side of a patch in pixels."""
        return self._frame.size

    @property
    def counts(self) -> NDArray[np.int64]:
        """Pixels of each class that can be drawn, over all tiles (class,) int64."""
        totals: NDArray[np.int64] = self._cumulative[:, -1].copy()
        return totals

    @property
    def labelled(self) -> NDArray[np.int64]:
        """Labelled pixels of each class, drawable or not, over all tiles (class,) int64."""
        totals: NDArray[np.int64] = np.sum([tile.labelled for tile in self._tiles], axis=0)
        return totals

    @property
    def lost(self) -> tuple[int, ...]:
        """Labels of the classes that have labelled pixels, none of which can be drawn."""
        return tuple(np.flatnonzero((self.counts == 0) & (self.labelled > 0)).tolist())

    @property
    def empty_tiles(self) -> tuple[str, ...]:
        """Names of the tiles that no patch is drawn from: none of their pixels can be drawn."""
        return tuple(
            name
            for name, tile in zip(self.names, self._tiles, strict=True)
            if not tile.counts.any()
        )

    def place(self, generator: np.random.Generator) -> Place:
        """Draw a patch.

        The window is pushed inside the tile where it would leave it; the drawn pixel always
        lies in it.

        Parameters
        ----------
        generator : numpy.random.Generator
            Source of the random numbers.

        Returns
        -------
        Place
        """
        number, label, rank = self._draw(generator)
        tile = self._tiles[number]
        pixel = tile.pixel(label, rank)
        return Place(number, self._around(number, pixel, tile.avoidance, generator), label)

    def starts(self, *, seed: int, stream: int, count: int) -> Iterator[NDArray[np.int64]]:
        """Where the first samples lie, in one reading of each tile.

        They are those that `place` gives with the generator of each sample.

        Parameters
        ----------
        seed, stream : int
            Seed of the run, and the purpose of the samples.
        count : int
            How many samples.

        Yields
        ------
        ndarray (patch, 2) int64
            For each tile in turn: the first row and column of its patches, in no special order.
        """
        drawn = np.empty((count, 3), np.int64)
        progress = Progress("patches drawn again", count)
        for sample in range(count):
            drawn[sample] = self._draw(sample_generator(seed, stream, sample))
            progress.advance()
        for number, tile in enumerate(self._tiles):
            samples = np.flatnonzero(drawn[:, 0] == number)
            starts = np.empty((samples.size, 2), np.int64)
            for place, pixel, avoidance in tile.pixels(drawn[samples, 1], drawn[samples, 2]):
                generator = sample_generator(seed, stream, int(samples[place]))
                self._draw(generator)  # the shift is drawn after the pixel
                window = self._around(number, pixel, avoidance, generator)
                starts[place] = window.row, window.col
            yield starts

    def _draw(self, generator: np.random.Generator) -> tuple[int, int, int]:
        """Tile and class of a pixel, and its rank there."""
        label = int(self._present[generator.integers(len(self._present))])
        cumulative = self._cumulative[label]
        rank = int(generator.integers(cumulative[-1]))
        number, rank = rank_within(cumulative, rank)
        return number, label, rank

    def _around(
        self,
        number: int,
        pixel: tuple[int, int],
        avoidance: Avoidance | None,
        generator: np.random.Generator,
    ) -> Window:
        """A patch around a drawn pixel, shifted at random."""
        if avoidance is None:
            jitter = self._frame.jitter
            shift = generator.integers(-jitter, jitter + 1, size=2)
        else:
            shifts = avoidance.clear_shifts(*pixel)
            shift = shifts[generator.integers(len(shifts))]
        return self._frame.window(pixel, shift, self._tiles[number].shape)

    def _nothing_to_draw(self, split: str) -> str:
        labelled = int(self.labelled.sum())
        if not labelled:
            return (
                f"none of the {len(self.names)} tiles ({listed(self.names)}) has a labelled "
                f"{split} pixel; check the reference polygons and their split"
            )
        return (
            f"none of the {labelled} {split} pixels of {listed(self.names)} can be drawn: each "
            f"patch of {self._frame.size} pixels around one shows ground that must be avoided; "
            "take a smaller fgunet.patch_size or a larger fgunet.jitter, split by blocks "
            "(split.mode), or set fgunet.avoid_test_context to false"
        )


def run_length(
    shapes: Sequence[tuple[int, int]], n_classes: int, block: int, held_bytes: int
) -> int:
    """How many blocks to count together, so that all counts take about the memory given.

    No more are than a count of two bytes can hold.

    Parameters
    ----------
    shapes : sequence of (int, int)
        (height, width) of each tile in pixels.
    n_classes : int
        Number of classes.
    block : int
        Side of a block in pixels.
    held_bytes : int
        The memory.
    """
    blocks = sum(math.prod(Runs(shape, block, 1).grid) for shape in shapes)
    most = np.iinfo(np.uint16).max // block**2
    return max(1, min(most, -(-blocks * n_classes * 2 // held_bytes)))


def _check_tiles(
    tiles: Sequence[Labels],
    names: Sequence[str],
    avoided: Sequence[ReadGround] | None,
    size: int,
) -> None:
    if not tiles:
        raise PatchError("there is no tile to draw patches from")
    if len(names) != len(tiles) or len(avoided or tiles) != len(tiles):
        raise PatchError(
            f"there are {len(tiles)} tiles, {len(names)} names of tiles and ground to be avoided "
            f"of {len(avoided or tiles)}; give one of each for every tile"
        )
    for name, tile in zip(names, tiles, strict=True):
        if min(tile.grid.shape) < size:
            raise PatchError(
                f"tile {name} has {tile.grid.height} x {tile.grid.width} pixels, a patch needs "
                f"{size} x {size}; take a smaller fgunet.patch_size or leave the tile out"
            )
