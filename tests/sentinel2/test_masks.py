"""What the numbers of masks say."""

import numpy as np
import pytest

from fgunet.sentinel2.bands import BANDS
from fgunet.sentinel2.masks import MASK_KINDS, REASONS, SPREADING, chosen_reasons, ruled_out


def numbers_ruled_out(kind: str, *reasons: str, bands: tuple[str, ...] = ("B02",)) -> list[int]:
    return np.flatnonzero(ruled_out(kind, reasons, bands)).tolist()


def theia_says(number: int, reason: str) -> bool:
    """The rule in words, of one number: bit 0 is a cloud unless a shadow explains it."""
    shadow = number // 32 % 2 == 1 or number // 64 % 2 == 1
    if reason == "shadow":
        return shadow
    told = any(number // 2**bit % 2 == 1 for bit in (1, 2, 3, 4, 7))
    return told or (number % 2 == 1 and not shadow)


@pytest.mark.parametrize("reason", ["cloud", "shadow"])
def test_every_number_of_the_cloud_mask_of_theia(reason: str) -> None:
    expected = [number for number in range(256) if theia_says(number, reason)]
    assert numbers_ruled_out("CLM", reason) == expected


def test_known_numbers_of_the_cloud_mask_of_theia() -> None:
    """Clear; any (unexplained); found twice; thinnest; shadow; shadow from outside; high; both."""
    seen = [0, 1, 1 + 2 + 4, 16, 1 + 32, 1 + 64, 128, 1 + 2 + 32]
    cloud, shadow = (ruled_out("CLM", (reason,), ())[seen] for reason in ("cloud", "shadow"))
    assert cloud.tolist() == [False, True, True, True, False, False, True, True]
    assert shadow.tolist() == [False, False, False, False, True, True, False, True]
    both = ruled_out("CLM", ("cloud", "shadow"), ())
    assert both.tolist() == [False] + [True] * 255


@pytest.mark.parametrize(
    ("reason", "classes"),
    [
        ("nodata", [0]),
        ("saturation", [1]),
        ("dark", [2]),
        ("shadow", [3]),
        ("cloud", [8, 9, 10]),
        ("snow", [11]),
        ("edge", []),
    ],
)
def test_scene_classification_by_reason(reason: str, classes: list[int]) -> None:
    assert numbers_ruled_out("SCL", reason) == classes


def test_what_no_reason_of_the_scene_classification_rules_out() -> None:
    """Vegetation, bare ground, water and unclassified, whichever reasons count."""
    assert [n for n in range(12) if n not in numbers_ruled_out("SCL", *REASONS)] == [4, 5, 6, 7]


def test_any_number_but_zero_is_outside_of_the_orbit() -> None:
    assert numbers_ruled_out("EDG", "edge") == list(range(1, 256))


@pytest.mark.parametrize(
    ("kind", "bits"),
    [
        ("SAT_R1", {"B02": 1, "B03": 2, "B04": 4, "B08": 8}),
        ("SAT_R2", {"B05": 1, "B06": 2, "B07": 4, "B8A": 8, "B11": 16, "B12": 32}),
    ],
)
def test_saturation_counts_for_the_bands_that_are_used(kind: str, bits: dict[str, int]) -> None:
    for band in BANDS:
        bit = bits.get(band, 0)
        expected = [number for number in range(256) if number & bit]
        assert numbers_ruled_out(kind, "saturation", bands=(band,)) == expected
    two = tuple(bits)[1:3]
    wanted = bits[two[0]] + bits[two[1]]
    expected = [number for number in range(256) if number & wanted]
    assert numbers_ruled_out(kind, "saturation", bands=two) == expected


@pytest.mark.parametrize("kind", MASK_KINDS)
def test_reasons_add_up_and_none_rules_nothing_out(kind: str) -> None:
    bands = tuple(BANDS)
    assert not ruled_out(kind, (), bands).any()
    single = [ruled_out(kind, (reason,), bands) for reason in REASONS]
    np.testing.assert_array_equal(ruled_out(kind, REASONS, bands), np.any(single, axis=0))
    assert set(MASK_KINDS[kind]) <= set(REASONS)


def test_switches_choose_reasons_in_their_order() -> None:
    switches = dict.fromkeys(reversed(REASONS), True) | {"edge": False, "dilation_m": 60.0}
    assert chosen_reasons(switches) == tuple(reason for reason in REASONS if reason != "edge")
    assert chosen_reasons(dict.fromkeys(REASONS, False)) == ()
    assert set(SPREADING) == {"cloud", "shadow"}
