"""Classes with too few polygons to be split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SplitError
from fgunet.reference.sides import SPLIT_CODES, SplitOptions


@dataclass(frozen=True)
class Scarcity:
    """What became of scarce classes: the class that each of `merged` joined, and `left_out`."""

    merged: Mapping[int, int]
    left_out: tuple[int, ...]

    def settled(self, code: NDArray[np.int64]) -> NDArray[np.int64]:
        """Class codes (n,), int64, after all merges; 0 for classes that are left out."""
        result = code.copy()
        for one, into in self.merged.items():
            result[code == one] = into
        result[np.isin(result, self.left_out)] = 0
        return result


def settle_scarce(
    code: NDArray[np.int64],
    unit: NDArray[np.int64],
    options: SplitOptions,
    names: Mapping[int, str],
    side: NDArray[np.uint8] | None = None,
) -> Scarcity:
    """Decide what becomes of classes with too few units.

    Parameters
    ----------
    code, unit : numpy.ndarray
        (polygon,), int64: class codes and units of the polygons in the tiles.
    options : SplitOptions
        `minimum_polygons`, `merge` and `leave_out_scarce`.
    names : mapping
        Name of each class of the nomenclature.
    side : numpy.ndarray, optional
        (polygon,), uint8: sides 1..3 that are fixed already; then a class that lacks training or
        test is scarce too.

    Returns
    -------
    Scarcity
        A merged class joins another before that is judged.

    Raises
    ------
    SplitError
        If a polygon or a merge has a class without name, or if classes are scarce and are neither
        merged nor left out, or if no class is left; all are listed.
    """
    _check_codes(code, options, names)
    merged = {
        one: options.merge[one]
        for one in sorted(names)
        if one in options.merge and _lack(code == one, unit, side, options)
    }
    for one, target in merged.items():
        code = np.where(code == one, target, code)
    rest = [one for one in sorted(names) if one not in merged]
    lacks = {one: lack for one in rest if (lack := _lack(code == one, unit, side, options))}
    if lacks and (not options.leave_out_scarce or len(lacks) == len(rest)):
        _refuse(lacks, names, options)
    return Scarcity(merged, tuple(lacks))


def _lack(
    members: NDArray[np.bool_],
    unit: NDArray[np.int64],
    side: NDArray[np.uint8] | None,
    options: SplitOptions,
) -> str:
    """What a class lacks, in words; empty text where nothing."""
    count = len(np.unique(unit[members]))
    if count < options.minimum_polygons:
        return f"has {count}"
    if side is not None:
        for name in ("training", "test"):
            if not (side[members] == SPLIT_CODES[name]).any():
                return f"has {count}, but no {name} polygon"
    return ""


def _check_codes(code: NDArray[np.int64], options: SplitOptions, names: Mapping[int, str]) -> None:
    foreign = sorted(set(np.unique(code).tolist()) - set(names))
    if foreign:
        raise SplitError(f"polygons have the codes {foreign}, the classes are {sorted(names)}")
    foreign = sorted({*options.merge, *options.merge.values()} - set(names))
    if foreign:
        raise SplitError(f"split.merge names the codes {foreign}; the classes are {sorted(names)}")


def _refuse(lacks: Mapping[int, str], names: Mapping[int, str], options: SplitOptions) -> NoReturn:
    listed = ", ".join(f"{names[code]} ({code}) {lack}" for code, lack in lacks.items())
    raise SplitError(
        "these classes have fewer polygons in the tiles than split.minimum_polygons "
        f"({options.minimum_polygons}; parts of one feature and close polygons count once), or "
        f"are all on one side: {listed}; add polygons or tiles, lower split.minimum_polygons, "
        "take smaller squares in mode blocks, let the class join another (split.merge), drop it "
        "from the nomenclature, or set split.leave_out_scarce to map without it"
    )
