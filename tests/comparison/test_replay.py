"""What the replay says was seen is what training's own patches show."""

import subprocess
import sys
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from fgunet.comparison.replay import seen_in_training
from fgunet.errors import ComparisonError
from fgunet.training.sources import open_patches

PATCHES = 60


def seen_by_hand(plan, rasters, patches):
    """Polygon, code, distinct pixels and showings, read from the drawn images and labels."""
    images, labels = open_patches(plan)[0].batch(range(patches))
    times = Counter()
    for image, label in zip(images, labels, strict=True):
        where = label != 255
        row, col, tile, _ = np.rint(image[where] * 1000).astype(int).T
        times.update(zip(tile.tolist(), row.tolist(), col.tolist(), strict=True))
    found = pd.DataFrame(
        [
            (rasters[tile]["polygon"][row, col], rasters[tile]["code"][row, col], 1, count)
            for (tile, row, col), count in times.items()
        ],
        columns=["polygon_id", "code", "pixels", "shown"],
    )
    return found.groupby(["polygon_id", "code"], as_index=False).sum()


@pytest.mark.parametrize("avoid", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_replay_is_what_training_draws(two_tiles, make_plan, avoid, seed):
    folder, rasters = two_tiles
    plan = make_plan(avoid_test_context=avoid, seed=seed)
    found = seen_in_training(
        plan,
        {"plan_hash": plan.hash, "patches": PATCHES},
        [folder / f"{tile.tile}_polygon.tif" for tile in plan.tiles],
    )
    expected = seen_by_hand(plan, rasters, PATCHES)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert found.dtypes.astype(str).to_dict() == {
        "polygon_id": "uint32", "code": "uint8", "pixels": "int64", "shown": "int64",
    }  # fmt: skip
    assert 0 < found["pixels"].sum() < found["shown"].sum()


def test_a_model_of_another_plan_is_refused(two_tiles, make_plan):
    with pytest.raises(ComparisonError, match=r"train it again"):
        seen_in_training(make_plan(), {"plan_hash": "0" * 64, "patches": 1}, [])


def test_the_replay_needs_no_tensorflow():
    code = (
        "import sys, fgunet.comparison.replay; "
        "sys.exit(bool({'tensorflow', 'keras', 'horovod'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
