import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, chisquare

from fgunet.accuracy.drawing import allocate, count_by_row, draw_pixels
from fgunet.errors import AccuracyError, NomenclatureError
from fgunet.grid import split_windows
from fgunet.nomenclature import LandCoverClass, Nomenclature

CODES = (11, 31, 51)
CLASSES = Nomenclature("three", tuple(LandCoverClass(c, str(c), (0, 0, 0), "") for c in CODES))


def random_map(shape=(37, 53), seed=0):
    """A map of three classes, a rare one among them, with nodata."""
    random = np.random.default_rng(seed)
    return random.choice([0, *CODES], size=shape, p=[0.3, 0.4, 0.28, 0.02]).astype(np.uint8)


def blocks(codes, size):
    return ((window, codes[window.slices]) for window in split_windows(codes.shape, size))


def drawn(codes, points, seed, size=16):
    counts = count_by_row(blocks(codes, size), len(codes), CLASSES)
    return draw_pixels(counts, points, CODES, codes.__getitem__, seed=seed)


def test_counts_by_row_whatever_the_windows():
    codes = random_map()
    expected = np.stack([(codes == code).sum(axis=1) for code in CODES], axis=1)
    for size in (1, 10, 16, 64):
        np.testing.assert_array_equal(count_by_row(blocks(codes, size), 37, CLASSES), expected)


def test_an_unknown_code_is_refused():
    codes = random_map()
    codes[5, 5] = 99
    with pytest.raises(NomenclatureError, match=r"codes \[99\]"):
        count_by_row(blocks(codes, 16), 37, CLASSES)


def test_allocation_by_hand():
    # 100 and 50 of 1000 are less than the minimum of 20 of 100 points; 60 points are left for
    # 250 and 600 pixels: 17.6, below the minimum too, so 40 for the largest.
    assert allocate([100, 50, 250, 600], size=100, minimum=20).tolist() == [20, 20, 20, 40]
    assert allocate([100, 0, 300, 600], size=100, minimum=5).tolist() == [10, 0, 30, 60]
    assert allocate([3, 997], size=100, minimum=20).tolist() == [3, 97]
    assert allocate([3, 7], size=100, minimum=20).tolist() == [3, 7]


def test_allocation_of_the_example_of_olofsson():
    """Section 5.1.3: 75 points for each rare class, the rest by area (rounded by hand there)."""
    pixels = [200_000, 150_000, 3_200_000, 6_450_000]
    found = allocate(pixels, size=640, minimum=75)
    assert found.tolist()[:2] == [75, 75]
    assert found[2:] == pytest.approx([165, 325], abs=3)


@given(
    st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any),
    st.integers(1, 60),
    st.integers(0, 500),
)
def test_allocation_keeps_its_promises(pixels, minimum, more):
    area = np.array(pixels)
    least = np.minimum(area, minimum)
    size = int(least.sum()) + more
    points = allocate(pixels, size=size, minimum=minimum)
    assert points.sum() == min(size, area.sum())
    assert (points >= least).all()
    assert (points <= area).all()
    # Beyond the minimum a class has its share of what such classes have, within a point.
    free = (points > least) & (points < area)
    shares = points[free].sum() * area[free] / max(area[free].sum(), 1)
    assert np.abs(points[free] - shares).max(initial=0) < 1 + 0.5 * free.sum()


def test_what_cannot_be_allocated_is_refused():
    with pytest.raises(AccuracyError, match=r"make accuracy.* at least 60, or"):
        allocate([100, 200, 0, 300], size=50, minimum=20)
    with pytest.raises(AccuracyError, match="no pixel with a class"):
        allocate([0, 0], size=50, minimum=20)


def test_points_lie_in_their_class_and_none_twice():
    codes = random_map()
    points = [40, 40, int((codes == 51).sum())]
    rows, cols, labels = drawn(codes, points, seed=3)
    assert np.bincount(labels).tolist() == points
    assert (codes[rows, cols] == np.array(CODES)[labels]).all()
    assert len({*zip(rows.tolist(), cols.tolist(), strict=True)}) == sum(points)
    assert (np.diff(labels) != 0).mean() > 0.3, "the classes follow one another at random"


def test_same_seed_same_points_whatever_the_windows():
    codes = random_map()
    first = drawn(codes, [20, 20, 5], seed=3, size=8)
    for again in (drawn(codes, [20, 20, 5], 3, size=64), drawn(codes, [20, 20, 5], 3)):
        np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], drawn(codes, [20, 20, 5], seed=4)[0])


def test_a_class_keeps_its_points_when_another_has_more():
    codes = random_map()
    few, many = (drawn(codes, [n, 20, 5], seed=3) for n in (5, 60))
    own = [
        sorted(zip(rows[labels == 1], cols[labels == 1], strict=True))
        for rows, cols, labels in (few, many)
    ]
    assert len(own[0]) == 20
    assert own[0] == own[1]


def test_every_pixel_of_a_class_is_drawn_equally_often():
    """Chi-square over 2000 seeds; pairs of neighbours too, which a systematic draw would miss."""
    codes = random_map((6, 7), seed=2)
    n = 2000
    hits = np.zeros(codes.shape, dtype=int)
    pairs = np.zeros(codes.size)
    for seed in range(n):
        rows, cols, labels = drawn(codes, [4, 4, 0], seed=seed)
        hits[rows, cols] += 1
        inside = np.zeros(codes.size, dtype=bool)
        inside[(rows * 7 + cols)[labels == 0]] = True
        pairs += inside & np.roll(inside, 1)
    for code, points in ((11, 4), (31, 4)):
        own = hits[codes == code]
        assert own.sum() == n * points
        # Without replacement the counts vary less than multinomial ones, by 1 - points / pixels.
        statistic = chisquare(own).statistic / (1 - points / len(own))
        assert 0.0005 < chi2.sf(statistic, len(own) - 1) < 0.9995
    flat = codes.ravel() == 11
    possible = flat & np.roll(flat, 1)
    pixels = flat.sum()
    expected = n * 4 * 3 / (pixels * (pixels - 1))
    assert pairs[possible].mean() == pytest.approx(expected, rel=0.1)
