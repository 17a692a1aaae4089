"""Samples of tiles, merged."""

import logging

import numpy as np
import pandas as pd
import pytest

from fgunet.errors import ModelError
from fgunet.forest.keys import pixel_keys
from fgunet.forest.samples import Samples, channel_names, merge_samples
from fgunet.forest.sampling import Sampling

DATES, BANDS = ("20180105", "20180115"), ("B02", "B8A")
CAP = Sampling("class_cap", 10, 1, None)


def samples_of(
    tile: str, codes: list[int], dates: tuple[str, ...] = DATES, bands: tuple[str, ...] = BANDS
) -> Samples:
    rows = np.arange(len(codes), dtype=np.uint32)
    pixels = pd.DataFrame(
        {
            "tile": np.full(len(codes), tile, dtype=object),
            "row": rows,
            "column": np.uint32(3),
            "polygon_id": rows // 4,
            "code": np.array(codes, np.uint8),
            "key": pixel_keys(1, tile, rows, np.full(len(codes), 3)),
        }
    )
    reflectance = np.random.default_rng(len(codes)).integers(0, 9000, (len(codes), 4))
    return Samples(pixels, reflectance.astype(np.uint16), dates, bands)


def test_channels_are_date_major() -> None:
    assert channel_names(DATES, BANDS) == [
        "20180105_B02", "20180105_B8A", "20180115_B02", "20180115_B8A",
    ]  # fmt: skip


def test_counts_are_those_of_codes_that_occur() -> None:
    samples = samples_of("T31TCJ", [222, 11, 222])
    assert (samples.counts(), len(samples)) == ({11: 1, 222: 2}, 3)


def test_a_merged_sample_is_not_copied_again() -> None:
    merged = merge_samples([samples_of("T31TCJ", [11, 44] * 30)], CAP)
    assert len(merged) == 20
    assert merged.reflectance.flags.c_contiguous
    assert merge_samples([merged], CAP) is merged


def test_tiles_without_pixels_take_part() -> None:
    nothing, some = samples_of("T31TDJ", []), samples_of("T31TCJ", [11, 44])
    for parts in ([nothing, some], [some, nothing]):
        merged = merge_samples(parts, CAP)
        assert merged.counts() == {11: 1, 44: 1}
        pd.testing.assert_series_equal(merged.pixels.dtypes, some.pixels.dtypes)
    equal = Sampling("equal", 10, 1, None)
    assert len(merge_samples([nothing], equal)) == 0


def test_many_rows_are_those_of_their_pixels() -> None:
    # More than are copied at a time.
    parts = [samples_of(tile, [11] * 12_000) for tile in ("T31TCJ", "T31TDJ")]
    merged = merge_samples(parts, Sampling("class_cap", 20_000, 1, None))
    for part in parts:
        mine = (merged.pixels["tile"] == part.pixels["tile"][0]).to_numpy()
        rows = merged.pixels["row"].to_numpy()[mine]
        np.testing.assert_array_equal(merged.reflectance[mine], part.reflectance[rows])


def test_the_scarcest_class_is_named(caplog) -> None:
    parts = [samples_of("T31TCJ", [11] * 9 + [44] * 2), samples_of("T31TDJ", [44] * 2)]
    with caplog.at_level(logging.WARNING):
        assert merge_samples(parts, Sampling("equal", 9, 1, None)).counts() == {11: 4, 44: 4}
    (said,) = caplog.messages
    assert "class 44 is the scarcest: it has 4 pixels" in said
    assert "not 9" in said
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        merge_samples(parts, Sampling("equal", 4, 1, None))
    assert not caplog.messages


@pytest.mark.parametrize(
    ("strategy", "said"),
    [("class_cap", "more than 2 were drawn: by 1 of class 11"), ("proportional", "3 of all")],
)
def test_what_every_polygon_adds_is_told(caplog, strategy: str, said: str) -> None:
    # Three polygons of class 11, and two of class 44.
    samples = samples_of("T31TCJ", [11] * 12 + [44] * 8)
    with caplog.at_level(logging.INFO):
        merge_samples([samples], Sampling(strategy, 2, 2, None, every_polygon=True))
    assert said in " ".join(caplog.messages)


def test_samples_that_do_not_fit_are_refused() -> None:
    one = samples_of("T31TCJ", [11, 44])
    with pytest.raises(ModelError, match="at least one tile"):
        merge_samples([], CAP)
    with pytest.raises(ModelError, match="T31TCJ"):
        merge_samples([one, one], CAP)
    for dates, bands, what in ((DATES[::-1], BANDS, "dates"), (DATES, ("B02", "B03"), "bands")):
        other = samples_of("T31TDJ", [11], dates, bands)
        with pytest.raises(ModelError, match=rf"differ in their {what}.*T31TDJ.*T31TCJ"):
            merge_samples([one, other], CAP)
    for wrong in (one.reflectance[:1], one.reflectance[:, :3], one.reflectance.astype(np.int32)):
        with pytest.raises(ModelError, match="expected uint16"):
            Samples(one.pixels, wrong, DATES, BANDS)
