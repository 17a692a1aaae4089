"""Windows that tile a map, and the larger ones that are read for them."""

import math
from dataclasses import dataclass

from fgunet.errors import ModelError
from fgunet.grid import Window


@dataclass(frozen=True)
class MappingWindow:
    """Pixels that are mapped (`core`) and read for it (`read`, which contains it)."""

    core: Window
    read: Window


def plan_windows(
    shape: tuple[int, int], *, core: int, halo: int, stride: int
) -> list[MappingWindow]:
    """Plan windows so that the map does not depend on their size.

    Parameters
    ----------
    shape : tuple of int
        (height, width) of the map in pixels.
    core : int
        Side of the square that is mapped at a time. Together the cores are the map, without
        overlap. The last ones of a row or column are smaller where the map's side is no multiple
        of it; what is read for them is shifted inward and as large as for the others.
    halo : int
        Pixels needed on each side of a core; fewer where the map ends.
    stride : int
        Read windows begin on multiples of it, and end on one or at the edge of the map.
        A predictor with a stride pads the latter as it would pad the whole map.

    Returns
    -------
    list of MappingWindow
        By rows.

    Raises
    ------
    ModelError
        If `core` or `stride` is below 1 or `halo` below 0.
    """
    if core < 1 or stride < 1 or halo < 0:
        raise ModelError(
            f"windows of {core} pixels with a halo of {halo} and a stride of {stride}; "
            "sides and stride must be at least 1, the halo at least 0"
        )
    rows, cols = (_spans(length, core, halo, stride) for length in shape)
    return [
        MappingWindow(
            Window(row.core, col.core, row.core_length, col.core_length),
            Window(row.read, col.read, row.read_length, col.read_length),
        )
        for row in rows
        for col in cols
    ]


def core_within(shape: tuple[int, int], *, pixels: float, halo: int, stride: int) -> int:
    """Side of cores so that at most about `pixels` are read at a time.

    Parameters
    ----------
    shape : tuple of int
        (height, width) of the map in pixels.
    pixels : float
        Most pixels of a read window.
    halo, stride : int
        As `plan_windows` takes them.

    Returns
    -------
    int
        A multiple of the stride, at least one. The longer side of the map is cut into the fewest
        parts that are small enough, and these are made alike, so that little is read twice.
    """
    side = math.isqrt(max(0, int(pixels))) - 2 * halo
    largest = max(stride, side // stride * stride)
    longest = max(shape)
    parts = math.ceil(longest / largest)
    return math.ceil(longest / parts / stride) * stride


@dataclass(frozen=True)
class _Span:
    core: int
    core_length: int
    read: int
    read_length: int


def _spans(length: int, core: int, halo: int, stride: int) -> list[_Span]:
    core = min(core, length)
    spans = []
    for begin in range(0, length, core):
        shifted = min(begin, length - core)
        read = max(0, shifted - halo) // stride * stride
        end = min(length, -(-(shifted + core + halo) // stride) * stride)
        spans.append(_Span(begin, min(core, length - begin), read, end - read))
    return spans
