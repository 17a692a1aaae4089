"""Patches that show no test polygon; every window of small tiles is the oracle."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fgunet.errors import PatchError
from fgunet.grid import Window
from fgunet.patches.avoidance import Avoidance
from fgunet.patches.framing import Frame
from fgunet.patches.placement import Placement
from fgunet.patches.random import sample_generator

FRAMES = [Frame(1, 0), Frame(4, 0), Frame(4, 1), Frame(5, 2), Frame(8, 3)]


def ground_of(mask):
    return lambda window: mask[window.slices]


def some_ground(seed, shape, share):
    return np.random.default_rng(seed).random(shape) < share


def clear_shifts(mask, frame, row, col):
    """Every shift tried: the window pushed inside the tile, and looked at."""
    found = []
    for down, across in product(range(-frame.jitter, frame.jitter + 1), repeat=2):
        top, left = (
            min(max(pixel - frame.size // 2 + shift, 0), length - frame.size)
            for pixel, shift, length in zip((row, col), (down, across), mask.shape, strict=True)
        )
        if not mask[top : top + frame.size, left : left + frame.size].any():
            found.append([down, across])
    return found


cases = given(
    shape=st.tuples(st.integers(8, 30), st.integers(8, 30)),
    frame=st.sampled_from(FRAMES),
    seed=st.integers(0, 10**6),
    share=st.sampled_from([0, 0.005, 0.02, 0.1, 1]),
    data=st.data(),
)


@settings(max_examples=60)
@cases
def test_drawable_pixels_are_those_with_a_clear_window(shape, frame, seed, share, data):
    mask = some_ground(seed, shape, share)
    avoidance = Avoidance(ground_of(mask), shape, frame)
    row, col = (data.draw(st.integers(0, length - 1)) for length in shape)
    window = Window(row, col, *(
        data.draw(st.integers(1, length - start))
        for start, length in zip((row, col), shape, strict=True)
    ))  # fmt: skip
    expected = [
        [bool(clear_shifts(mask, frame, y, x)) for x in range(col, col + window.width)]
        for y in range(row, row + window.height)
    ]
    np.testing.assert_array_equal(avoidance.drawable(window), expected)
    assert avoidance.clear_shifts(row, col).tolist() == clear_shifts(mask, frame, row, col)


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0.002, 0.01]), block=st.integers(3, 20))
def test_no_patch_shows_what_is_avoided(array_labels, seed, share, block):
    generator = np.random.default_rng(seed)
    tiles, grounds = [], []
    for shape in ((30, 41), (64, 20)):
        values = generator.integers(3, size=shape).astype(np.uint8)
        values[generator.random(shape) > 0.2] = 255
        grounds.append(some_ground(generator, shape, share))
        values[grounds[-1]] = 255
        tiles.append(array_labels(values))
    frame = Frame(8, 3)
    drawable = [
        Avoidance(ground_of(ground), ground.shape, frame).drawable(Window(0, 0, *ground.shape))
        for ground in grounds
    ]
    placement = Placement(
        tiles, n_classes=3, size=8, jitter=3, block=block,
        avoided=[ground_of(ground) for ground in grounds],
    )  # fmt: skip
    for which, masks in ((placement.counts, drawable), (placement.labelled, [True, True])):
        assert which.tolist() == [
            sum(int(((t.values == k) & mask).sum()) for t, mask in zip(tiles, masks, strict=True))
            for k in range(3)
        ]
    for index in range(60):
        place = placement.place(sample_generator(seed, 0, index))
        window = place.window.slices
        assert not grounds[place.tile][window].any()
        assert ((tiles[place.tile].values == place.label) & drawable[place.tile])[window].any()


def test_pixels_and_shifts_are_drawn_uniformly(array_labels):
    """Worked out by hand: a tile of 3 x 9 pixels whose column 6 is of the test.

    Patches of 3 pixels start at columns 0 to 6; clear are those that start at 0 to 3. Around
    column 0 all three shifts start at 0 (pushed inside); around column 4 they start at 2, 3 and
    4, two of them clear; around column 5 at 3, 4 and 5, one clear; around column 7 none is.
    """
    values, ground = np.full((3, 9), 255, np.uint8), np.zeros((3, 9), bool)
    values[1, [0, 4, 5, 7]] = 0
    ground[:, 6] = True
    placement = Placement(
        [array_labels(values)], n_classes=1, size=3, jitter=1, avoided=[ground_of(ground)]
    )
    assert (placement.counts.tolist(), placement.labelled.tolist()) == ([3], [4])
    n = 6000
    lefts = [placement.place(sample_generator(1, 0, index)).window.col for index in range(n)]
    starts, counts = np.unique(lefts, return_counts=True)
    assert starts.tolist() == [0, 2, 3]
    expected = np.array([1 / 3, 1 / 3 * 1 / 2, 1 / 3 * 1 / 2 + 1 / 3])
    assert stats.chisquare(counts, n * expected).pvalue > 0.001


def test_shifts_that_push_to_one_window_count_each(array_labels):
    """At the edge two shifts of three start at column 0, so that it is drawn twice as often."""
    values, ground = np.full((3, 9), 255, np.uint8), np.zeros((3, 9), bool)
    values[1, 1] = 0
    ground[1, 8] = True
    placement = Placement(
        [array_labels(values)], n_classes=1, size=3, jitter=1, avoided=[ground_of(ground)]
    )
    n = 3000
    lefts = [placement.place(sample_generator(2, 0, index)).window.col for index in range(n)]
    assert stats.chisquare(np.bincount(lefts), [n * 2 / 3, n / 3]).pvalue > 0.001


def test_classes_that_lose_all_pixels_are_told(array_labels):
    values, ground = np.full((20, 40), 255, np.uint8), np.zeros((20, 40), bool)
    values[5, 2:6] = 0
    values[5, 30:33] = 2
    ground[:, 28:36] = True
    tiles = [array_labels(values), array_labels(values[:, 20:])]
    placement = Placement(
        tiles, n_classes=4, size=8, jitter=3, names=["T31TCJ", "T31TDJ"],
        avoided=[ground_of(ground), ground_of(ground[:, 20:])],
    )  # fmt: skip
    assert placement.lost == (2,)
    assert placement.counts.tolist() == [4, 0, 0, 0]
    assert placement.labelled.tolist() == [4, 0, 6, 0]
    assert placement.empty_tiles == ("T31TDJ",)
    places = [placement.place(sample_generator(0, 0, index)) for index in range(20)]
    assert {place.label for place in places} == {0}


def test_nothing_left_to_draw_is_told(array_labels):
    values = np.zeros((20, 20), np.uint8)
    with pytest.raises(PatchError, match=r"none of the 400 reference pixels of T31TCJ .* avoid"):
        Placement(
            [array_labels(values)], n_classes=1, size=8, jitter=3, names=["T31TCJ"],
            avoided=[ground_of(values == 0)],
        )  # fmt: skip


def test_ground_is_needed_of_every_tile(some_labels):
    with pytest.raises(PatchError, match="avoided of 1"):
        Placement(
            [some_labels((9, 9))] * 2, n_classes=3, size=4, jitter=1,
            avoided=[ground_of(np.zeros((9, 9), bool))],
        )  # fmt: skip


def test_without_ground_to_avoid_all_pixels_stay(some_labels):
    tiles = [some_labels((40, 30), 1)]
    nothing = np.zeros((40, 30), bool)
    plain = Placement(tiles, n_classes=3, size=16, jitter=5)
    avoiding = Placement(tiles, n_classes=3, size=16, jitter=5, avoided=[ground_of(nothing)])
    np.testing.assert_array_equal(avoiding.counts, plain.counts)
    for index in range(20):
        one, other = (p.place(sample_generator(0, 0, index)) for p in (plain, avoiding))
        assert one.label == other.label
