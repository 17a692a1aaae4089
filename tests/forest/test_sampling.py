"""The rule of the samples, against the same rule in plain Python over all pixels at once."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import ModelError
from fgunet.forest.keys import pixel_keys
from fgunet.forest.samples import Samples, merge_samples
from fgunet.forest.sampling import STRATEGIES, Sampling, draw, within_reach


class Pixel(NamedTuple):
    key: int
    tile: str
    row: int
    column: int
    polygon_id: int
    code: int


def frame_of(pixels: Sequence[Pixel]) -> pd.DataFrame:
    frame = pd.DataFrame(pixels, columns=Pixel._fields)
    types = {"key": np.uint64, "code": np.uint8, "tile": object}
    others = dict.fromkeys(("row", "column", "polygon_id"), np.uint32)
    return frame.astype({**types, **others})


def pixels_of(frame: pd.DataFrame) -> list[Pixel]:
    return [Pixel(**row) for row in frame[list(Pixel._fields)].to_dict("records")]


def samples_of(pixels: Sequence[Pixel]) -> Samples:
    """Pixels whose two channels tell their tile and row."""
    values = [(ord(pixel.tile), pixel.row) for pixel in pixels]
    reflectance = np.array(values, np.uint16).reshape(len(pixels), 2)
    return Samples(frame_of(pixels), reflectance, ("20180105",), ("B02", "B03"))


def brute_force(pixels: Sequence[Pixel], sampling: Sampling) -> list[Pixel]:
    polygons = defaultdict(list)
    for pixel in sorted(pixels):
        polygons[pixel.polygon_id, pixel.code].append(pixel)
    firsts = [members[0] for members in polygons.values()] if sampling.every_polygon else []
    capped = [p for members in polygons.values() for p in members[: sampling.samples_per_polygon]]
    strata = defaultdict(list)
    for pixel in sorted(capped):
        strata[0 if sampling.strategy == "proportional" else pixel.code].append(pixel)
    limit = sampling.samples
    if sampling.strategy != "proportional":
        limit = sampling.samples_per_class
    if sampling.strategy == "equal":
        limit = min([limit, *(len(members) for members in strata.values())])
    drawn = []
    for members in strata.values():
        kept = [pixel for pixel in members if pixel in firsts]
        others = [pixel for pixel in members if pixel not in firsts]
        drawn += kept + others[: max(0, limit - len(kept))]
    return sorted(drawn)


samplings = st.builds(
    Sampling,
    strategy=st.sampled_from(STRATEGIES),
    samples_per_class=st.integers(1, 8),
    samples=st.integers(1, 15),
    samples_per_polygon=st.none() | st.integers(1, 3),
    every_polygon=st.booleans(),
)


@st.composite
def worlds(draw_from) -> list[Pixel]:
    """Pixels of three tiles whose polygons lie in several, with keys that may be the same."""
    drawn = draw_from(
        st.lists(
            st.tuples(
                st.integers(0, 60), st.sampled_from("ABC"), st.integers(1, 9), st.integers(0, 9)
            ),
            max_size=50,
        )
    )
    # Most polygons have one code; some pixels of them another.
    return [
        Pixel(key, tile, row, row % 3, polygon, (11, 44, 222)[(polygon + (odd == 0)) % 3])
        for row, (key, tile, polygon, odd) in enumerate(drawn)
    ]


@settings(max_examples=150)
@given(worlds(), samplings)
def test_drawing_at_once_is_the_rule(pixels: list[Pixel], sampling: Sampling) -> None:
    merged = merge_samples([samples_of(pixels)], sampling)
    assert pixels_of(merged.pixels) == brute_force(pixels, sampling)


@settings(max_examples=150)
@given(worlds(), samplings, st.integers(0, 2**32))
def test_drawing_by_windows_and_tiles_is_drawing_at_once(
    pixels: list[Pixel], sampling: Sampling, seed: int
) -> None:
    random = np.random.default_rng(seed)
    tables, frame = [], frame_of(random.permutation(np.array(pixels, object)).tolist())
    for tile in "BAC":
        of_tile = frame[frame["tile"] == tile]
        windows = random.integers(0, 4, len(of_tile))
        drawn = of_tile[:0]
        for window in range(4):
            found = of_tile[windows == window]
            both = pd.concat([drawn, found[within_reach(found, drawn, sampling)]])
            drawn = both.iloc[draw(both, sampling)]
        tables.append(samples_of(pixels_of(drawn)))
        most = sampling.limit if sampling.strategy == "proportional" else 3 * sampling.limit
        firsts = drawn[["polygon_id", "code"]].drop_duplicates()
        assert len(drawn) <= most + sampling.every_polygon * len(firsts)
    merged = merge_samples((tables[place] for place in random.permutation(3)), sampling)
    assert pixels_of(merged.pixels) == brute_force(pixels, sampling)
    expected = [(ord(pixel.tile), pixel.row) for pixel in pixels_of(merged.pixels)]
    assert merged.reflectance.tolist() == [list(values) for values in expected]


@settings(max_examples=150)
@given(worlds(), worlds(), samplings)
def test_only_pixels_that_cannot_be_drawn_are_out_of_reach(
    before: list[Pixel], after: list[Pixel], sampling: Sampling
) -> None:
    after = [pixel._replace(row=pixel.row + 100) for pixel in after]
    drawn = frame_of(before).iloc[draw(frame_of(before), sampling)]
    found = frame_of(after)
    both = frame_of([*before, *after])
    chosen = set(pixels_of(both.iloc[draw(both, sampling)]))
    out = pixels_of(found[~within_reach(found, drawn, sampling)])
    assert not chosen & set(out)


def test_known_samples() -> None:
    # Polygon 1 is large, polygon 3 lies in two tiles, class 44 is scarce.
    pixels = [
        Pixel(1, "A", 0, 0, 1, 11),
        Pixel(2, "A", 0, 1, 1, 11),
        Pixel(3, "A", 0, 2, 1, 11),
        Pixel(4, "B", 0, 0, 2, 11),
        Pixel(5, "A", 1, 0, 3, 44),
        Pixel(6, "B", 1, 0, 3, 44),
        Pixel(7, "B", 2, 0, 4, 11),
    ]

    def keys(strategy: str, per_class: int, samples: int, cap: int | None, every=False):
        sampling = Sampling(strategy, per_class, samples, cap, every)
        return merge_samples([samples_of(pixels)], sampling).pixels["key"].tolist()

    assert keys("class_cap", 3, 1, None) == [1, 2, 3, 5, 6]
    assert keys("class_cap", 3, 1, 1) == [1, 4, 5, 7]
    assert keys("class_cap", 3, 1, None, every=True) == [1, 4, 5, 6, 7]
    assert keys("class_cap", 1, 1, None, every=True) == [1, 4, 5, 7]
    assert keys("equal", 3, 1, None) == [1, 2, 5, 6]
    assert keys("equal", 3, 1, 1) == [1, 5]
    assert keys("equal", 1, 1, None) == [1, 5]
    assert keys("proportional", 1, 5, None) == [1, 2, 3, 4, 5]
    assert keys("proportional", 1, 4, 2) == [1, 2, 4, 5]
    assert keys("proportional", 1, 5, None, every=True) == [1, 2, 4, 5, 7]


def test_a_proportional_sample_has_the_shares_of_the_classes() -> None:
    count, size = 60_000, 6000
    codes = np.repeat(np.array([11, 44, 222], np.uint8), [30_000, 24_000, 6000])
    rows = np.arange(count, dtype=np.uint32)
    pixels = pd.DataFrame(
        {
            "tile": "T31TCJ",
            "row": rows,
            "column": np.uint32(0),
            "polygon_id": rows,
            "code": codes,
            "key": pixel_keys(3, "T31TCJ", rows, np.zeros(count, int)),
        }
    )
    drawn = pixels.iloc[draw(pixels, Sampling("proportional", 1, size, None))]
    shares = drawn["code"].value_counts(normalize=True)
    for code, share in ((11, 0.5), (44, 0.4), (222, 0.1)):
        assert abs(shares[code] - share) < 4 * np.sqrt(share * (1 - share) / size)


def test_a_nonsense_sampling_is_refused_with_all_its_faults() -> None:
    with pytest.raises(ModelError, match=r"samples_per_class is 0.*samples_per_polygon is -1"):
        Sampling("class_cap", 0, 1, -1)
    with pytest.raises(ModelError, match=r"samples is 0.*'random'.*class_cap.*proportional"):
        Sampling("random", 1, 0, None)
