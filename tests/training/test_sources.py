"""Patches of a plan, from reference rasters and series on disk."""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest

from fgunet.errors import PatchError, TrainingError
from fgunet.grid import Grid
from fgunet.patches.drawing import TRAINING_STREAM, VALIDATION_STREAM
from fgunet.patches.random import sample_generator
from fgunet.rasters import write_raster
from fgunet.reference.sides import TEST, TRAINING, VALIDATION
from fgunet.training.plan import TilePaths
from fgunet.training.sources import open_patches, require_grids, training_patches

GRID = Grid("EPSG:32631", (10.0, 0.0, 0.0, 0.0, -10.0, 0.0), 72, 56)
TILES = ("T31TCJ", "T31TDJ")
SIZE, JITTER = 16, 6
DATES, BANDS = ("20180101", "20180111", "20180121", "20180131"), ("B02", "B03")
CODES = (11, 31, 222)


def reference(number):
    """Parcels of 8 pixels, each of one class and on one side; one amid test parcels."""
    generator = np.random.default_rng(number)
    squares = tuple(-(-side // 8) for side in GRID.shape)
    code = generator.choice(np.array([0, 11, 31], np.uint8), squares)
    side = generator.choice(np.array([TRAINING, TRAINING, VALIDATION], np.uint8), squares)
    code[3:6, :3], side[3:6, :3] = 31, TEST
    code[4, 1], side[4, 1] = (222 if number == 0 else 11), TRAINING
    large = [np.kron(each, np.ones((8, 8), np.uint8)) for each in (code, side)]
    code, side = (each[: GRID.height, : GRID.width] for each in large)
    return code, np.where(code > 0, side, 0).astype(np.uint8)


def script(root, name):
    spec = importlib.util.spec_from_file_location(name, root / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def plan(make_plan, tmp_path_factory, write_series):
    """Plan of two tiles whose pixels of band B02 are their split, times 100."""
    folder = tmp_path_factory.mktemp("tiles")
    tiles = []
    for number, tile in enumerate(TILES):
        code, split = reference(number)
        paths = TilePaths(tile, *(str(folder / f"{tile}{end}") for end in
                                  (".zarr", "_code.tif", "_split.tif")))  # fmt: skip
        write_raster(paths.code, code, GRID, 0)
        write_raster(paths.split, split, GRID, 0)
        values = np.empty((4, 2, *GRID.shape), np.uint16)
        values[:] = split.astype(np.uint16) * 100
        write_series(folder / f"{tile}.zarr", values, tile=tile, grid=GRID, dates=DATES,
                     bands=BANDS)  # fmt: skip
        tiles.append(paths)
    return make_plan(
        tiles=tuple(tiles), codes=CODES, dates=DATES, bands=BANDS, patch_size=SIZE, jitter=JITTER
    )


def splits_of(source, indices):
    """The splits whose pixels each patch shows, from its image."""
    images, _ = source.batch(indices)
    return [set(np.rint(image[..., 0] * 10).astype(int).ravel().tolist()) for image in images]


def shown_labels(source, indices):
    images, labels = source.batch(indices)
    return np.rint(images[..., 0] * 10).astype(int)[labels != 255]


def test_labels_of_the_other_splits_are_hidden(plan):
    training, validation = open_patches(plan)
    assert set(shown_labels(training, range(40)).tolist()) == {TRAINING}
    assert set(shown_labels(validation, range(40)).tolist()) == {VALIDATION}
    assert any(TEST in shown for shown in splits_of(training, range(40)))


def test_no_training_patch_shows_a_test_pixel(plan):
    training, validation = open_patches(replace(plan, avoid_test_context=True))
    assert not any(TEST in shown for shown in splits_of(training, range(300)))
    plain = open_patches(plan)[1]
    for found, expected in zip(validation.batch(range(20)), plain.batch(range(20)), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert any(TEST in shown for shown in splits_of(validation, range(60)))


def test_what_is_lost_by_avoiding_test_context_is_counted(plan):
    how = {"size": SIZE, "jitter": JITTER}
    _, plain = training_patches(plan.tiles, CODES, avoid_test_context=False, **how)
    _, avoiding = training_patches(plan.tiles, CODES, avoid_test_context=True, **how)
    # The one parcel of 222 lies between test parcels.
    assert (plain.counts[2], avoiding.counts[2], avoiding.labelled[2]) == (64, 0, 64)
    assert (plain.lost, avoiding.lost) == ((), (2,))
    assert avoiding.names == TILES
    np.testing.assert_array_equal(avoiding.labelled, plain.counts)


@pytest.mark.parametrize("avoid", [False, True])
def test_selection_on_training_labels(plan, avoid):
    """As the study did: from the training split, but patches of their own, as they lie."""
    training, chosen_by = open_patches(
        replace(plan, select_on="training", avoid_test_context=avoid)
    )
    assert set(shown_labels(chosen_by, range(40)).tolist()) == {TRAINING}
    assert any(TEST in shown for shown in splits_of(chosen_by, range(60)))
    places = [
        source._placement.place(sample_generator(plan.seed, stream, 0))
        for source, stream in ((training, TRAINING_STREAM), (chosen_by, VALIDATION_STREAM))
    ]
    assert places[0] != places[1]
    for index in range(10):
        drawn = chosen_by._placement.place(sample_generator(plan.seed, VALIDATION_STREAM, index))
        lying = chosen_by._labels[drawn.tile].read(drawn.window)
        np.testing.assert_array_equal(chosen_by.patch(index)[1], lying)


def test_a_sample_is_described(plan):
    described = open_patches(plan)[0].describe(5)
    assert described.startswith("sample 5: tile T31T")
    assert ", drawn for label " in described


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dates": ("20180102", *DATES[1:])}, r"\(dates: 20180101 instead of 20180102\)"),
        ({"dates": DATES[:2], "low": ((0, 0),) * 2, "high": ((1, 1),) * 2},
         r"\(dates: 20180121, 20180131 too many\)"),
        ({"bands": ("B03", "B02")}, r"\(bands: in the order B02, B03 instead of B03, B02\)"),
        ({"nodata": 0}, r"\(nodata: 65535 instead of 0\)"),
    ],
)  # fmt: skip
def test_another_series_than_the_plans_is_refused(plan, changes, message):
    with pytest.raises(TrainingError, match=rf"T31TCJ: .*T31TCJ.zarr .*{message}; make the plan"):
        open_patches(replace(plan, **changes))


@pytest.mark.parametrize("which", ["code", "split"])
def test_a_reference_on_another_grid_is_found_before_the_training(plan, tmp_path, root, which):
    code, split = reference(1)
    moved = replace(GRID, transform=(10.0, 0.0, 60.0, 0.0, -10.0, 0.0))
    path = str(tmp_path / "moved.tif")
    write_raster(path, code if which == "code" else split, moved, 0)
    tile = replace(plan.tiles[1], **{which: path})
    message = r"T31TDJ: .*T31TDJ.zarr lies on Grid.*, 0.0, 0.0,.*moved.tif on Grid.*, 60.0, 0.0,"
    with pytest.raises(PatchError, match=message):
        require_grids([plan.tiles[0], tile])
    with pytest.raises(PatchError, match=message):
        open_patches(replace(plan, tiles=(plan.tiles[0], tile)))
    with pytest.raises(PatchError, match=message):
        script(root, "training_statistics").main(
            path_to_series=tile.series,
            path_to_code=tile.code,
            path_to_split=tile.split,
            path_to_statistics=str(tmp_path / "s.npz"),
        )
    assert not (tmp_path / "s.npz").exists()
    require_grids(plan.tiles)


def test_a_patch_larger_than_a_tile(plan):
    with pytest.raises(PatchError, match="tile T31TCJ has 72 x 56 pixels, a patch needs 64 x 64"):
        open_patches(replace(plan, patch_size=64))


def test_no_labelled_pixel(plan, tmp_path):
    nothing = str(tmp_path / "none.tif")
    write_raster(nothing, np.zeros(GRID.shape, np.uint8), GRID, 0)
    tiles = tuple(replace(tile, split=nothing) for tile in plan.tiles)
    message = r"none of the 2 tiles \(T31TCJ, T31TDJ\) has a labelled training pixel"
    with pytest.raises(PatchError, match=message):
        open_patches(replace(plan, tiles=tiles))
    one = (plan.tiles[0], replace(plan.tiles[1], split=nothing))
    _, placement = training_patches(one, CODES, size=16, jitter=6, avoid_test_context=True)
    assert placement.empty_tiles == ("T31TDJ",)
