"""Training, validation and test: their codes, and the settings of the split."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fgunet.errors import SplitError

TRAINING, VALIDATION, TEST = 1, 2, 3
"""Codes of the splits in rasters; 0 is no polygon."""

SPLIT_CODES = {"training": TRAINING, "validation": VALIDATION, "test": TEST}
"""Code of each split's name."""

SPLIT_NAMES = {code: name for name, code in SPLIT_CODES.items()}
"""Name of each split's code."""

LEAST_POLYGONS = 2
"""A class needs one polygon to learn from and one to be judged by."""

POLYGONS, BLOCKS = "polygons", "blocks"


@dataclass(frozen=True)
class SplitOptions:
    """How polygons are split.

    Attributes
    ----------
    seed : int
        Seed of the draw.
    mode : str
        "polygons": each polygon on one side, areas balanced by class and square. "blocks": whole
        squares on one side; polygons across them are cut.
    test_share : float
        Share of a class's area that is the test.
    validation_share : float
        Share of the rest that is the validation.
    min_distance : float
        Polygons closer than this stay on one side, in m; with blocks, ground nearer to another
        side is given up.
    square_m : float
        Side of the squares, in m.
    balance_tolerance : float
        Share of its area that a class in a square may be off (mode "polygons").
    minimum_polygons : int
        A class with fewer units (features, or groups of close ones) is too scarce to be split.
    merge : mapping
        Class that a scarce class joins.
    leave_out_scarce : bool
        Leave scarce classes out instead of refusing them.

    Raises
    ------
    SplitError
        If a setting makes no sense; all are listed at once.
    """

    seed: int
    mode: str = POLYGONS
    test_share: float = 0.34
    validation_share: float = 0.1
    min_distance: float = 0.0
    square_m: float = 10_000.0
    balance_tolerance: float = 0.05
    minimum_polygons: int = 3
    merge: Mapping[int, int] = field(default_factory=dict)
    leave_out_scarce: bool = False

    def __post_init__(self) -> None:
        faults = [
            f"split.{name} is {value}; it must lie between 0 and 1"
            for name, value in (
                ("test_share", self.test_share),
                ("validation_share", self.validation_share),
            )
            if not 0 < value < 1
        ]
        if self.mode not in (POLYGONS, BLOCKS):
            faults.append(f"split.mode is {self.mode!r}; it must be {POLYGONS!r} or {BLOCKS!r}")
        if self.min_distance < 0:
            faults.append(f"split.min_distance is {self.min_distance} m; it must not be negative")
        if self.square_m <= 0:
            faults.append(f"split.square_m is {self.square_m} m; it must be positive")
        if not 0 <= self.balance_tolerance <= 1:
            faults.append(f"split.balance_tolerance is {self.balance_tolerance}; it must be 0 to 1")
        if self.minimum_polygons < LEAST_POLYGONS:
            faults.append(
                f"split.minimum_polygons is {self.minimum_polygons}; it must be {LEAST_POLYGONS} "
                "or more: one polygon to learn from and one to be judged by"
            )
        chains = sorted(set(self.merge) & set(self.merge.values()))
        if chains:
            faults.append(f"split.merge both moves and receives {chains}; name the last class")
        if faults:
            raise SplitError("; ".join(faults))
