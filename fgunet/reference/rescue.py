"""Units moved so that each class has test and training, and the run its validation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SplitError
from fgunet.reference.chunks import added_up
from fgunet.reference.sides import SPLIT_NAMES, TEST, TRAINING, VALIDATION, SplitOptions


def rescued(
    side: NDArray[np.uint8],
    code: NDArray[np.int64],
    unit: NDArray[np.int64],
    area: NDArray[np.float64],
    *,
    options: SplitOptions,
    names: Mapping[int, str],
) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """Give a thinly spread class a unit where chance left it without test or training.

    Where less than half of the classes have validation, each is given a unit of it: by so little
    no model can be chosen. Only the sides of such units depend on all polygons in the tiles.

    Parameters
    ----------
    side : numpy.ndarray
        (unit,), uint8: sides 1..3.
    code, unit : numpy.ndarray
        (polygon,), int64: classes and units of the polygons in the tiles; 0 for those of no class.
    area : numpy.ndarray
        (polygon,), float64, m2.
    options : SplitOptions
        Shares.
    names : mapping
        Name of each class.

    Returns
    -------
    side : numpy.ndarray
        (unit,), uint8.
    rows : list of dict
        Code and name of the class, and the split that a unit moved to.

    Raises
    ------
    SplitError
        If a class cannot be given a unit, because each holds the last polygons of another.
    """
    used = code > 0
    kinds, place = np.unique(
        np.stack([code[used], unit[used]], axis=1), axis=0, return_inverse=True
    )
    ground = added_up(place.reshape(-1), area[used], len(kinds))
    rescue = _Rescue(side.copy(), kinds[:, 0], kinds[:, 1], ground, options)
    for one in np.unique(kinds[:, 0]).tolist():
        for wanted in (TEST, TRAINING):
            if not rescue.give(one, wanted):
                raise SplitError(
                    f"{names[one]} ({one}) has no {SPLIT_NAMES[wanted]} polygon, and those that "
                    "could move belong together with the last ones of other classes; lower "
                    "split.min_distance, add polygons, or let the class join another (split.merge)"
                )
    rescue.give_validation()
    rows = [
        {"code": one, "name": names[one], "to": SPLIT_NAMES[wanted]} for one, wanted in rescue.moved
    ]
    return rescue.side, rows


@dataclass
class _Rescue:
    """Sides (unit,) that change, and class, unit and m2 of each class in each unit (n,)."""

    side: NDArray[np.uint8]
    code: NDArray[np.int64]
    unit: NDArray[np.int64]
    ground: NDArray[np.float64]
    options: SplitOptions
    moved: list[tuple[int, int]] = field(default_factory=list)

    def give(self, one: int, wanted: int) -> bool:
        """Move a unit of class `one` to a split that has none; False where none is to spare."""
        own = self.code == one
        if (self.side[self.unit[own]] == wanted).any():
            return True
        free = np.flatnonzero(own & self._spare())
        if wanted == VALIDATION and (self.side[self.unit[free]] == TRAINING).any():
            # That leaves the test as it is.
            free = free[self.side[self.unit[free]] == TRAINING]
        if not free.size:
            return False
        gain = self.ground[free]
        if wanted == TRAINING:
            gain = np.where(self.side[self.unit[free]] == TEST, -gain, 0.0)
        best = free[np.argmin(np.abs(gain - self._lacking(own, wanted)))]
        self.side[self.unit[best]] = wanted
        self.moved.append((one, wanted))
        return True

    def give_validation(self) -> None:
        """Where less than half of the classes have validation, each class gives a unit to it."""
        classes = np.unique(self.code)
        validated = np.unique(self.code[self.side[self.unit] == VALIDATION])
        if 2 * len(validated) < len(classes):
            for one in classes.tolist():
                self.give(one, VALIDATION)

    def _lacking(self, own: NDArray[np.bool_], wanted: int) -> float:
        """m2 by which the test (or the validation) of a class falls short of its share."""
        ground = self.ground[own]
        test = float(ground[self.side[self.unit[own]] == TEST].sum())
        if wanted == VALIDATION:
            return float(self.options.validation_share * (ground.sum() - test))
        return float(self.options.test_share * ground.sum() - test)

    def _spare(self) -> NDArray[np.bool_]:
        """(n,), bool: False where a unit is the only test, or training, of a class."""
        _, place = np.unique(self.code, return_inverse=True)
        side = self.side[self.unit]
        group = place * 4 + side
        last = (np.bincount(group)[group] == 1) & (side != VALIDATION)
        return np.isin(self.unit, self.unit[last], invert=True)
