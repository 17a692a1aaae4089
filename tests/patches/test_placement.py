import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fgunet.errors import PatchError
from fgunet.patches.counting import Runs
from fgunet.patches.placement import BLOCK, HELD_BYTES, Placement, run_length
from fgunet.patches.random import sample_generator

# Tile, row, column and label of the first samples of seed 4, written down from release 0.2.0.
FORMER_DRAWS = {
    16: [
        (0, 0, 0, 0), (1, 88, 70, 0), (1, 13, 119, 2), (1, 11, 29, 2), (2, 48, 0, 2),
        (1, 95, 184, 1), (1, 134, 7, 2), (1, 94, 172, 1), (1, 79, 56, 1), (1, 70, 136, 2),
        (0, 24, 14, 1), (1, 69, 56, 1), (1, 116, 113, 1), (1, 33, 144, 0),
    ],
    64: [
        (0, 0, 0, 0), (1, 67, 108, 0), (1, 10, 115, 2), (1, 53, 35, 2), (2, 48, 0, 2),
        (1, 76, 128, 1), (1, 131, 148, 2), (1, 74, 151, 1), (1, 63, 105, 1), (1, 94, 0, 2),
        (0, 24, 14, 1), (1, 59, 83, 1), (1, 111, 136, 1), (1, 2, 160, 0),
    ],
}  # fmt: skip


def drawn(placement, seed, numbers):
    places = (placement.place(sample_generator(seed, 0, number)) for number in numbers)
    return [(place.tile, place.window.row, place.window.col, place.label) for place in places]


@pytest.fixture(scope="module")
def three_tiles(some_labels):
    return [some_labels((40, 30), 1), some_labels((150, 200), 2), some_labels((64, 16), 3)]


@pytest.mark.parametrize("block", [16, 64])
def test_draws_are_those_of_the_former_release(three_tiles, block):
    placement = Placement(three_tiles, n_classes=4, size=16, jitter=5, block=block)
    assert placement.counts.tolist() == [3241, 3246, 3144, 0]
    assert drawn(placement, 4, range(14)) == FORMER_DRAWS[block]


@settings(max_examples=20)
@given(held_bytes=st.integers(1, 2000), index=st.integers(0, 2**40))
def test_memory_changes_no_draw(three_tiles, held_bytes, index):
    plain, scant = (
        Placement(three_tiles, n_classes=3, size=16, jitter=5, block=8, **how)
        for how in ({}, {"held_bytes": held_bytes})
    )
    numbers = range(index, index + 20)
    assert drawn(scant, 0, numbers) == drawn(plain, 0, numbers)


@pytest.mark.parametrize("held_bytes", [2**20, 200_000, 40_000])
def test_counts_keep_to_their_memory(some_labels, held_bytes):
    tiles = [some_labels((700, 900), seed) for seed in range(3)]
    placement = Placement(tiles, n_classes=17, size=16, jitter=5, block=8, held_bytes=held_bytes)
    held = [tile._by_run for tile in placement._tiles]
    assert {each.dtype for each in held} <= {np.dtype(np.uint8), np.dtype(np.uint16)}
    assert sum(each.nbytes for each in held) <= 1.25 * held_bytes  # runs end with the tile
    assert placement.counts.sum() == sum((tile.values != 255).sum() for tile in tiles)


def test_a_country_of_tiles_stays_below_100_mb():
    """1,100 tiles of 10980 x 10980 pixels and 17 classes, two bytes a count."""
    blocks_at_once = run_length([(10980, 10980)] * 1100, 17, BLOCK, HELD_BYTES)
    runs = Runs((10980, 10980), BLOCK, blocks_at_once)
    assert np.min_scalar_type(BLOCK**2 * blocks_at_once) == np.uint16
    assert 1100 * runs.empty_counts(17).size * 2 < 100e6


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), index=st.integers(0, 2**40), size=st.sampled_from([8, 9, 16]))
def test_a_patch_lies_in_its_tile_and_holds_its_class(some_labels_session, seed, index, size):
    tiles = some_labels_session
    placement = Placement(tiles, n_classes=3, size=size, jitter=(size - 1) // 2, block=7)
    place = placement.place(sample_generator(seed, 0, index))
    height, width = tiles[place.tile].grid.shape
    window = place.window
    assert window.row >= 0 <= window.col
    assert window.row + size <= height
    assert window.col + size <= width
    assert (tiles[place.tile].read(window) == place.label).any()


@pytest.fixture(scope="module")
def some_labels_session(array_labels):
    generator = np.random.default_rng(3)
    tiles = []
    for shape in ((20, 33), (16, 16)):
        values = generator.integers(3, size=shape).astype(np.uint8)
        values[generator.random(shape) > 0.05] = 255
        tiles.append(array_labels(values))
    return tiles


def test_classes_are_drawn_uniformly_and_pixels_within_them(array_labels):
    # Class 0 has 1 pixel, class 1 has 8 over two tiles, class 2 none.
    first, second = (np.full((6, 6), 255, dtype=np.uint8) for _ in range(2))
    first[2, 3] = 0
    first[5, :3] = 1
    second[0, :5] = 1
    tiles = [array_labels(first), array_labels(second)]
    placement = Placement(tiles, n_classes=3, size=1, jitter=0, block=4)
    assert placement.counts.tolist() == [1, 8, 0]
    places = [placement.place(sample_generator(1, 0, index)) for index in range(4000)]
    assert 1900 < sum(place.label == 0 for place in places) < 2100
    drawn = [(p.tile, p.window.row, p.window.col) for p in places if p.label == 1]
    pixels, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(pixels) == 8
    assert stats.chisquare(counts).pvalue > 0.001


def test_jitter_covers_its_range(array_labels):
    values = np.full((41, 41), 255, dtype=np.uint8)
    values[20, 20] = 0
    placement = Placement([array_labels(values)], n_classes=1, size=8, jitter=3)
    rows = {placement.place(sample_generator(0, 0, i)).window.row for i in range(200)}
    assert rows == set(range(13, 20))


@pytest.mark.parametrize(
    ("shape", "size", "jitter", "message"),
    [
        ((10, 30), 16, 2, "tile T31TCJ has 10 x 30 pixels, a patch needs 16 x 16; take a smaller"),
        ((30, 30), 16, 8, "could lose its pixel"),
        ((30, 30), 16, -1, "could lose its pixel"),
    ],
)
def test_sizes_are_checked(some_labels, shape, size, jitter, message):
    with pytest.raises(PatchError, match=message):
        Placement([some_labels(shape)], n_classes=3, size=size, jitter=jitter, names=["T31TCJ"])


def test_no_label_and_no_tile(array_labels):
    empty = [array_labels(np.full((9, 9), 255, np.uint8))]
    with pytest.raises(
        PatchError, match=r"none of the 1 tiles \(T31TCJ\) has a labelled training pixel"
    ):
        Placement(empty, n_classes=2, size=4, jitter=1, names=["T31TCJ"], split="training")
    with pytest.raises(PatchError, match=r"\(0, 1, 2, 3, 4, 5 more\)"):
        Placement(empty * 10, n_classes=2, size=4, jitter=1)
    with pytest.raises(PatchError, match="no tile"):
        Placement([], n_classes=2, size=4, jitter=1)


def test_each_tile_needs_a_name(some_labels):
    with pytest.raises(PatchError, match="2 tiles, 1 names"):
        Placement([some_labels((9, 9))] * 2, n_classes=3, size=4, jitter=1, names=["T31TCJ"])


def test_tiles_without_labelled_pixels_are_told(array_labels, some_labels):
    nothing = array_labels(np.full((9, 9), 255, np.uint8))
    tiles = [nothing, some_labels((20, 20)), nothing]
    names = ["T31TCJ", "T31TDJ", "T31TEJ"]
    placement = Placement(tiles, n_classes=3, size=4, jitter=1, names=names)
    assert placement.empty_tiles == ("T31TCJ", "T31TEJ")
    assert placement.lost == ()
    np.testing.assert_array_equal(placement.labelled, placement.counts)
    places = [placement.place(sample_generator(0, 0, index)) for index in range(50)]
    assert {place.tile for place in places} == {1}


def starts_by_hand(placement, seed, count):
    places = [placement.place(sample_generator(seed, 0, number)) for number in range(count)]
    return [
        sorted((p.window.row, p.window.col) for p in places if p.tile == number)
        for number in range(len(placement.names))
    ]


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(0, 60),
    block=st.sampled_from([8, 64]),
    share=st.sampled_from([None, 0.002]),
)
def test_starts_are_those_of_the_single_places(some_labels, seed, count, block, share):
    tiles = [some_labels((40, 30), seed), some_labels((600, 80), seed + 1), some_labels((24, 16))]
    avoided = None
    if share is not None:
        grounds = [
            np.random.default_rng(seed + n).random(t.values.shape) < share
            for n, t in enumerate(tiles)
        ]
        avoided = [lambda window, ground=ground: ground[window.slices] for ground in grounds]
    placement = Placement(tiles, n_classes=4, size=16, jitter=5, block=block, avoided=avoided)
    found = placement.starts(seed=seed, stream=0, count=count)
    assert [sorted(map(tuple, each.tolist())) for each in found] == starts_by_hand(
        placement, seed, count
    )
