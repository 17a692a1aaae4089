"""The split of polygons into training, validation and test."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from fgunet.errors import SplitError

TRAINING, VALIDATION, TEST = 1, 2, 3
"""Codes of the splits in rasters; 0 is no polygon."""

SPLIT_CODES = {"training": TRAINING, "validation": VALIDATION, "test": TEST}
"""Code of each split's name."""

SPLIT_NAMES = {code: name for name, code in SPLIT_CODES.items()}
"""Name of each split's code."""

LEAST_POLYGONS = 3
"""Below this a class cannot be in all three splits."""


def split_polygons(
    polygon_id: NDArray[np.int64],
    code: NDArray[np.int64],
    *,
    test_share: float,
    validation_share: float,
    minimum_polygons: int,
    seed: int,
    names: Mapping[int, str],
    feature: NDArray[np.int64] | None = None,
    leave_out_scarce: bool = False,
) -> NDArray[np.uint8]:
    """Put each polygon in one split, class by class.

    Each feature draws a number from (seed, feature) alone. By that number the lowest of a class
    are the test, the highest the validation, those between the training. So the split does not
    depend on the order of polygons, other classes have no say in it, and one more feature moves
    at most one other feature into or out of test, and one into or out of validation.

    Parameters
    ----------
    polygon_id : numpy.ndarray
        (n,), int64: distinct numbers.
    code : numpy.ndarray
        (n,), int64: class codes.
    test_share : float
        Share of a class's features that are the test (0 to 1, exclusive).
    validation_share : float
        Share of the remaining features that are the validation (0 to 1, exclusive).
    minimum_polygons : int
        Least number of features of a class, 3 or more.
    seed : int
        Seed of the draw.
    names : mapping
        Name of each class that must be there.
    feature : numpy.ndarray, optional
        (n,), int64: the feature a polygon is a part of. Parts of a feature stay together, and
        a feature counts once in shares and minimum. Each polygon is its own where left out.
    leave_out_scarce : bool
        Put the polygons of a class with too few features in no split, instead of refusing them.

    Returns
    -------
    numpy.ndarray
        (n,), uint8: 1 training, 2 validation, 3 test, none of them empty in any class that is
        split; 0 for the polygons of a class that is left out.

    Raises
    ------
    SplitError
        If a share is not between 0 and 1, `minimum_polygons` is below 3, a polygon has a class
        without name, a feature has parts of two classes, or classes have too few features (all
        are listed; not where they are left out, unless no class is left).
    """
    units, unit_of = np.unique(polygon_id if feature is None else feature, return_inverse=True)
    unit_code = np.zeros(len(units), dtype=np.int64)
    unit_code[unit_of] = code
    _check_arguments(test_share, validation_share, minimum_polygons)
    _check_codes(code, unit_code[unit_of], names)
    scarce = _scarce_classes(unit_code, names, minimum_polygons)
    if scarce and (not leave_out_scarce or len(scarce) == len(names)):
        _refuse_scarce(scarce, names, minimum_polygons)
    split = np.full(len(units), TRAINING, dtype=np.uint8)
    split[np.isin(unit_code, list(scarce))] = 0
    draw = _draws(units, seed)
    for one_class in np.setdiff1d(unit_code, list(scarce)):
        members = np.flatnonzero(unit_code == one_class)
        members = members[np.lexsort((units[members], draw[members]))]
        n_test, n_validation = split_sizes(len(members), test_share, validation_share)
        split[members[:n_test]] = TEST
        split[members[len(members) - n_validation :]] = VALIDATION
    return split[unit_of]


def split_sizes(count: int, test_share: float, validation_share: float) -> tuple[int, int]:
    """How many of `count` (3 or more) are test and validation; one at least in each split."""
    n_test = min(max(_rounded(count * test_share), 1), count - 2)
    rest = count - n_test
    return n_test, min(max(_rounded(rest * validation_share), 1), rest - 1)


def _rounded(value: float) -> int:
    """The nearest whole number, halves up (Python's round goes to even)."""
    return int(np.floor(value + 0.5))


def _draws(units: NDArray[np.int64], seed: int) -> NDArray[np.uint64]:
    prefix = blake2b(f"split {seed} ".encode(), digest_size=8)
    draws = np.empty(len(units), dtype=np.uint64)
    for i, unit in enumerate(units):
        hashed = prefix.copy()
        hashed.update(int(unit).to_bytes(8, "little"))
        draws[i] = int.from_bytes(hashed.digest(), "little")
    return draws


def _check_arguments(test_share: float, validation_share: float, minimum_polygons: int) -> None:
    for name, share in (("test_share", test_share), ("validation_share", validation_share)):
        if not 0 < share < 1:
            raise SplitError(f"split.{name} is {share}; it must lie between 0 and 1")
    if minimum_polygons < LEAST_POLYGONS:
        raise SplitError(
            f"split.minimum_polygons is {minimum_polygons}; it must be {LEAST_POLYGONS} or more, "
            "one polygon for each of training, validation and test"
        )


def _check_codes(
    code: NDArray[np.int64], code_of_feature: NDArray[np.int64], names: Mapping[int, str]
) -> None:
    mixed = int((code != code_of_feature).sum())
    if mixed:
        raise SplitError(f"{mixed} polygons have another class than a part of the same feature")
    foreign = sorted(set(np.unique(code).tolist()) - set(names))
    if foreign:
        raise SplitError(f"polygons have the codes {foreign}, the classes are {sorted(names)}")


def _scarce_classes(
    unit_code: NDArray[np.int64], names: Mapping[int, str], minimum_polygons: int
) -> dict[int, int]:
    """Count the features of each class that has too few."""
    counts = {code: int((unit_code == code).sum()) for code in sorted(names)}
    return {code: count for code, count in counts.items() if count < minimum_polygons}


def _refuse_scarce(scarce: Mapping[int, int], names: Mapping[int, str], minimum: int) -> NoReturn:
    listed = ", ".join(f"{names[code]} ({code}) has {count}" for code, count in scarce.items())
    raise SplitError(
        f"these classes have fewer polygons than split.minimum_polygons ({minimum}): {listed}; "
        f"add polygons or tiles, lower split.minimum_polygons (not below {LEAST_POLYGONS}), drop "
        "the classes from the nomenclature, or set split.leave_out_scarce to map without them"
    )
