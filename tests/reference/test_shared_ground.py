from dataclasses import replace

import numpy as np

from fgunet.grid import Grid, Window
from fgunet.reference.shared_ground import (
    compare_shared_ground,
    pairs_that_share,
    shared_windows,
)

WEST = Grid("EPSG:32631", (10.0, 0.0, 400_000.0, 0.0, -10.0, 4_810_000.0), 40, 50)
EAST = Grid("EPSG:32631", (10.0, 0.0, 400_300.0, 0.0, -10.0, 4_810_100.0), 40, 50)
FAR = Grid("EPSG:32631", (10.0, 0.0, 500_000.0, 0.0, -10.0, 4_810_000.0), 40, 50)
ZONE_32 = replace(WEST, crs="EPSG:32632")
SHIFTED = Grid("EPSG:32631", (10.0, 0.0, 400_305.0, 0.0, -10.0, 4_810_000.0), 40, 50)


def test_shared_windows_by_hand():
    # The east begins 30 columns further right and 10 rows further up.
    assert shared_windows(WEST, EAST) == (Window(0, 30, 30, 20), Window(10, 0, 30, 20))
    assert shared_windows(EAST, WEST) == (Window(10, 0, 30, 20), Window(0, 30, 30, 20))
    assert shared_windows(WEST, WEST) == (Window(0, 0, 40, 50), Window(0, 0, 40, 50))
    for other in (FAR, ZONE_32, SHIFTED):
        assert shared_windows(WEST, other) is None


def test_each_pair_of_one_coordinate_system_once():
    grids = {"b": EAST, "a": WEST, "c": FAR, "z": ZONE_32}
    assert list(pairs_that_share(grids)) == [("a", "b")]


def compared(west, east):
    bands = {"a": west, "b": east}
    read = {name: lambda window, band=band: band[window.slices] for name, band in bands.items()}
    return compare_shared_ground({"a": WEST, "b": EAST}, read, strip=7)


def test_a_pixel_on_two_sides_is_found():
    ground = np.random.default_rng(0).integers(0, 4, (50, 80)).astype(np.uint8)
    west, east = ground[10:, :50].copy(), ground[:40, 30:].copy()
    assert compared(west, east) == {
        "pixels_on_two_sides": 0, "pixels_in_one_tile_only": 0, "pixels_compared": 600,
    }  # fmt: skip
    west[:2, 30], east[10:12, 0] = [1, 0], [3, 2]
    found = compared(west, east)
    assert (found["pixels_on_two_sides"], found["pixels_in_one_tile_only"]) == (1, 1)
    # Pixels of one tile alone are no matter.
    west[:, :30] = 0
    assert compared(west, east) == found
