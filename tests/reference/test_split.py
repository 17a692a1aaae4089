import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import SplitError
from fgunet.reference.groups import close_pairs
from fgunet.reference.rescue import rescued
from fgunet.reference.sides import SplitOptions
from fgunet.reference.split import split_layer
from fgunet.reference.squares import square_of

NAMES = {11: "summer", 12: "winter", 31: "wood"}
SQUARE = 1000.0
TILES = {"T31TCJ": shapely.box(0, 0, 4000, 4000)}


def layer(count, seed=0, *, left=0.0, width=4000.0, tiles="T31TCJ", codes=(11, 12, 31)):
    """Scattered squares of ground of uneven size, none across two lattice squares by chance."""
    rng = np.random.default_rng([seed, int(left)])
    low = rng.uniform((left, 0), (left + width - 90, 3910), (count, 2))
    size = np.clip(rng.lognormal(3, 0.6, count), 5, 90)
    return framed(
        shapely.box(low[:, 0], low[:, 1], low[:, 0] + size, low[:, 1] + size),
        rng.choice(codes, count),
        rng.choice(2**31, count, replace=False),
        tiles,
    )


def framed(shapes, code, number, tiles="T31TCJ", feature=None):
    shapes = np.asarray(shapes, dtype=object)
    return gpd.GeoDataFrame(
        {
            "polygon_id": np.asarray(number) + 1,
            "feature": np.asarray(number) * 7 + 3 if feature is None else np.asarray(feature),
            "code": code,
            "source": "fields",
            "area_ha": shapely.area(shapes) / 1e4,
            "tiles": tiles,
            "square": square_of(shapely.bounds(shapes), SQUARE),
        },
        geometry=list(shapes),
        crs="EPSG:2154",
    )


def joined(*frames):
    return gpd.GeoDataFrame(
        {name: np.concatenate([f[name] for f in frames]) for name in frames[0].columns[:-1]},
        geometry=np.concatenate([f.geometry.to_numpy() for f in frames]),
        crs="EPSG:2154",
    )


def split(frame, names=NAMES, **changes):
    options = SplitOptions(**{"seed": 5, "square_m": SQUARE} | changes)
    return split_layer(frame, options, names=names, footprints=TILES)


def sides(frame, **changes):
    return split(frame, **changes)[0].set_index("polygon_id")["split"]


def boxes_in_a_row(count, gap=300.0):
    return [shapely.box(x, 10, x + 50, 60) for x in np.arange(count) * gap + 20]


def test_shares_of_each_class_and_of_the_whole():
    polygons, report = split(layer(900))
    for rows in ([report["shares"]["all"]], report["shares"]["classes"].values()):
        for row in rows:
            assert row["test_share"] == pytest.approx(0.34, abs=0.035)
            assert row["validation_share"] == pytest.approx(0.1, abs=0.04)
    area = polygons.area.groupby([polygons["code"], polygons["split"]]).sum().unstack()
    for code, row in report["shares"]["classes"].items():
        own = area.loc[int(code)]
        assert row["test_share"] == pytest.approx(own["test"] / own.sum(), abs=1e-6)
        rest = own["training"] + own["validation"]
        assert row["validation_share"] == pytest.approx(own["validation"] / rest, abs=1e-6)


def test_a_large_polygon_is_tested_as_often_as_others():
    small = [shapely.box(x, 10, x + 40, 50) for x in range(50, 900, 60)]
    frame = framed([shapely.box(100, 500, 200, 600), *small], 11, np.arange(len(small) + 1))
    large, share = [], []
    for seed in range(300):
        polygons, report = split(frame, {11: "summer"}, seed=seed)
        large.append(polygons["split"].iloc[0] == "test")
        share.append(report["shares"]["all"]["test_share"])
    # Deviations of 0.027 and, the large one being 30 % of all ground, of about 0.004.
    assert np.mean(large) == pytest.approx(0.34, abs=0.09)
    assert np.mean(share) == pytest.approx(0.34, abs=0.02)
    # By chance alone it is 0.15.
    assert np.std(share) < 0.08


def test_output_is_ordered_and_whole():
    frame = layer(200)
    polygons, report = split(frame.sample(frac=1, random_state=1))
    assert polygons["polygon_id"].is_monotonic_increasing
    assert set(polygons["polygon_id"]) == set(frame["polygon_id"])
    assert polygons.columns.tolist() == [
        "polygon_id", "feature", "code", "source", "area_ha", "split", "tiles", "geometry",
    ]  # fmt: skip
    assert report["units"] == 200


@given(seed=st.integers(0, 10**6))
@settings(max_examples=10)
def test_the_order_of_polygons_does_not_matter(seed):
    frame = layer(150)
    assert sides(frame.sample(frac=1, random_state=seed)).equals(sides(frame))


@pytest.mark.parametrize("tolerance", [0.05, 1.0])
def test_another_tile_moves_no_polygon(tolerance):
    """Ground beyond the squares of a tile, and the rest of its own squares, in another tile."""
    own, beyond = layer(300), layer(60, seed=3, tiles="")
    alone = sides(joined(own, beyond), balance_tolerance=tolerance)
    further = layer(400, left=4000.0, tiles="T31TDJ")
    seen_now = beyond.assign(tiles="T31TDJ")
    both = sides(joined(further, own, seen_now), balance_tolerance=tolerance)
    assert len(alone) == 300
    assert len(both) == 760
    assert (both.loc[alone.index] == alone).all()


@given(which=st.integers(0, 299))
@settings(max_examples=20)
def test_another_polygon_moves_none_of_other_classes_and_squares(which):
    frame = layer(300)
    before, after = sides(frame), sides(frame.drop(index=which))
    moved = after.index[after != before.loc[after.index]]
    gone, known = frame.loc[which], frame.set_index("polygon_id").loc[moved]
    assert (known["code"] == gone["code"]).all()
    # What lies across squares moves none but counts in the squares that it reaches.
    assert gone["square"] == "" or (known["square"] == gone["square"]).all()


@given(which=st.integers(0, 299))
@settings(max_examples=20)
def test_without_balance_another_polygon_moves_none(which):
    frame = layer(300)
    before = sides(frame, balance_tolerance=1.0)
    after = sides(frame.drop(index=which), balance_tolerance=1.0)
    assert after.equals(before.loc[after.index])


def test_parts_of_a_feature_stay_together():
    frame = layer(240)
    frame["feature"] = np.arange(240) // 4
    extent = frame.bounds.groupby(frame["feature"]).agg(
        {"minx": "min", "miny": "min", "maxx": "max", "maxy": "max"}
    )
    frame["square"] = square_of(extent.loc[frame["feature"]].to_numpy(), SQUARE)
    polygons, report = split(frame)
    assert (polygons.groupby("feature")["split"].nunique() == 1).all()
    assert report["units"] == 60


@pytest.mark.parametrize("distance", [20.0, 60.0])
def test_close_polygons_stay_together(distance):
    polygons, _ = split(layer(400), min_distance=distance)
    first, second = close_pairs(polygons.geometry.to_numpy(), distance)
    side = polygons["split"].to_numpy()
    assert len(first) > 20
    assert (side[first] == side[second]).all()
    test, rest = polygons[side == "test"], polygons[side != "test"]
    assert test.union_all().distance(rest.union_all()) >= distance


def test_a_seed_gives_one_split_and_another_another():
    frame = layer(200)
    assert sides(frame).equals(sides(frame))
    assert not sides(frame).equals(sides(frame, seed=6))


def test_scarce_classes_are_named_all_at_once():
    frame = joined(framed(boxes_in_a_row(6), 11, np.arange(6)),
                   framed(boxes_in_a_row(2), 12, np.arange(6, 8)))  # fmt: skip
    with pytest.raises(SplitError, match=r"winter \(12\) has 2, wood \(31\) has 0.*merge.*leave"):
        split(frame)
    with pytest.raises(SplitError, match=r"winter \(12\) has 2, wood"):
        split(frame, minimum_polygons=7, leave_out_scarce=True)


def test_polygons_beyond_the_tiles_do_not_make_a_class_less_scarce():
    frame = joined(framed(boxes_in_a_row(6), 11, np.arange(6)),
                   framed(boxes_in_a_row(2), 12, np.arange(6, 8)),
                   framed(boxes_in_a_row(5), 12, np.arange(8, 13), tiles=""))  # fmt: skip
    with pytest.raises(SplitError, match=r"winter \(12\) has 2"):
        split(frame, {11: "summer", 12: "winter"})


def test_scarce_classes_are_left_out_if_asked_for():
    frame = joined(framed(boxes_in_a_row(6), 11, np.arange(6)),
                   framed(boxes_in_a_row(2), 12, np.arange(6, 8)))  # fmt: skip
    polygons, report = split(frame, leave_out_scarce=True)
    assert set(polygons["code"]) == {11}
    assert report["left_out"] == [
        {"code": 12, "name": "winter", "polygons": 2, "hectares": 0.5},
        {"code": 31, "name": "wood", "polygons": 0, "hectares": 0.0},
    ]


def test_a_scarce_class_joins_another_and_no_side_moves():
    frame = joined(layer(200, codes=(11, 12)), framed(boxes_in_a_row(2), 31, [2**31, 2**31 + 1]))
    polygons, report = split(frame, merge={31: 12})
    assert set(polygons["code"]) == {11, 12}
    assert report["merged"] == [
        {"code": 31, "into": 12, "name": "wood", "into_name": "winter",
         "polygons": 2, "hectares": 0.5}
    ]  # fmt: skip
    alone = sides(frame, leave_out_scarce=True)
    assert alone.equals(polygons.set_index("polygon_id")["split"].loc[alone.index])
    # With polygons enough it stays what it is.
    assert 31 in set(split(frame, merge={31: 12}, minimum_polygons=2)[0]["code"])


def test_merges_that_lead_nowhere():
    with pytest.raises(SplitError, match=r"both moves and receives \[12\]"):
        split(layer(50), merge={31: 12, 12: 11})
    with pytest.raises(SplitError, match=r"split.merge names the codes \[99\]"):
        split(layer(50), merge={31: 99})


def spread(count):
    """One polygon a square, so that no square can balance them."""
    shapes = [shapely.box(x, 10, x + 50 + x / 100, 60) for x in np.arange(count) * 1000.0 + 300]
    return framed(shapes, 11, np.arange(count) + 90)


@pytest.mark.parametrize("count", [2, 3, 4])
def test_a_thinly_spread_class_is_rescued(count):
    frame, told = joined(spread(count), layer(60, codes=(12,))), set()
    for seed in range(40):
        polygons, report = split(
            frame, {11: "summer", 12: "winter"}, seed=seed, minimum_polygons=2, test_share=0.6
        )
        own = polygons["split"][polygons["code"] == 11]
        assert {"training", "test"} <= set(own)
        told |= {row["to"] for row in report["rescued"] if row["code"] == 11}
    assert {"training", "test"} <= told


def test_a_run_needs_validation():
    for seed in range(30):
        polygons, _ = split(spread(3), {11: "summer"}, seed=seed)
        assert set(polygons["split"]) == {"training", "validation", "test"}
    with pytest.raises(SplitError, match="no polygon is left to choose a model by"):
        split(spread(2), {11: "summer"}, minimum_polygons=2)


def rescue(side, code, unit, area):
    return rescued(
        np.array(side, np.uint8),
        np.array(code),
        np.array(unit),
        np.array(area, dtype=float),
        options=SplitOptions(seed=1),
        names=NAMES,
    )


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        # Of 10 + 30 + 60 m2 in training 30 is nearest to 34 %, and 10 to a tenth of the rest.
        ([1, 1, 1], [2, 3, 1], ["test", "validation"]),
        # All in test: to give up 60 leaves 40; of those only the test can spare a validation.
        ([3, 3, 3], [2, 3, 1], ["training", "validation"]),
        # No training, but validation that can move; that leaves none.
        ([2, 3, 2], [1, 3, 2], ["training"]),
        # Two of test, one of training: only the test can spare one for the validation.
        ([3, 1, 3], [2, 1, 3], ["validation"]),
        # A class that has all it needs is left alone.
        ([1, 3, 2], [1, 3, 2], []),
        # The only training stays: the validation moves.
        ([1, 2, 2], [1, 3, 2], ["test"]),
    ],
)
def test_the_rescue_moves_the_unit_that_fits(before, after, told):
    side, rows = rescue(before, [11, 11, 11], [0, 1, 2], [10, 30, 60])
    assert (side.tolist(), [row["to"] for row in rows]) == (after, told)


def test_the_rescue_takes_no_last_unit_of_another_class():
    # Unit 0 fits best for 11, but it is the only training of 12.
    side, rows = rescue([1, 1, 3, 1, 2], [11, 12, 12, 11, 31, 31, 31],
                        [0, 0, 2, 1, 2, 3, 4], [34, 5, 5, 60, 9, 9, 9])  # fmt: skip
    assert side.tolist() == [1, 3, 3, 1, 2]
    assert rows == [{"code": 11, "name": "summer", "to": "test"}]


def test_classes_that_hang_together_cannot_be_parted():
    # Three units, each pair of which shares a class: two sides are not enough.
    with pytest.raises(SplitError, match=r"has no (test|training) polygon.*split.min_distance"):
        rescue([1, 1, 3], [11, 11, 12, 12, 31, 31], [0, 1, 1, 2, 0, 2], [1.0] * 6)


def test_a_class_counts_in_all_units_that_hold_it():
    """Ponds beside larger fields are in units of which most is field."""
    x = np.arange(8) * 500.0 + 200
    fields = framed([shapely.box(a, 10, a + 50, 60) for a in x], 11, np.arange(8))
    ponds = framed([shapely.box(a + 51, 10, a + 56, 15) for a in x[:4]], 12, np.arange(8, 12))
    names = {11: "field", 12: "pond"}
    for seed in range(20):
        polygons, report = split(joined(fields, ponds), names, seed=seed, min_distance=5.0)
        assert report["units"] == 8
        assert {"training", "test"} <= set(polygons["split"][polygons["code"] == 12])


def test_polygons_beyond_the_tiles_do_not_name_a_unit():
    # Of class 12 all lies beyond the tiles, though it is most of its units.
    x = np.arange(8) * 500.0 + 200
    beyond = framed([shapely.box(a, 10, a + 50, 60) for a in x], 12, np.arange(8), tiles="")
    fields = framed([shapely.box(a + 51, 10, a + 56, 15) for a in x], 11, np.arange(8, 16))
    frame = joined(beyond, fields)
    assert set(split(frame, {11: "field"}, min_distance=5.0)[0]["code"]) == {11}
    with pytest.raises(SplitError, match=r"pond \(12\) has 0"):
        split(frame, {11: "field", 12: "pond"}, min_distance=5.0)


def test_a_class_may_be_without_validation():
    frame = joined(layer(100, codes=(12,)), framed(boxes_in_a_row(3), 11, 2**31 + np.arange(3)))
    told = set()
    for seed in range(20):
        polygons, report = split(frame, {11: "summer", 12: "winter"}, seed=seed)
        without = "validation" not in set(polygons["split"][polygons["code"] == 11])
        assert report["without_validation"] == ([11] if without else [])
        told.add(without)
    assert told == {True, False}


def test_blocks_keep_squares_apart_and_forget_no_polygon():
    frame = layer(600)
    polygons, report = split(frame, mode="blocks", square_m=400.0)
    lost = report["given_up"]
    assert len(polygons) == 600 - lost["lost"]["polygons"]
    assert polygons["area_ha"].sum() + lost["cut"]["hectares"] + lost["lost"][
        "hectares"
    ] == pytest.approx(frame["area_ha"].sum(), abs=1e-3)
    assert polygons["area_ha"].to_numpy() == pytest.approx(polygons.area.to_numpy() / 1e4)
    assert set(polygons["split"]) == {"training", "validation", "test"}


def test_a_polygon_cut_by_blocks_may_leave_a_tile():
    frame = layer(600)
    tiles = {"T31TCJ": shapely.box(0, 0, 2000, 4000), "T31TDJ": shapely.box(2000, 0, 4000, 4000)}
    options = SplitOptions(seed=5, square_m=400.0, mode="blocks")
    polygons, _ = split_layer(frame, options, names=NAMES, footprints=tiles)
    for tile, footprint in tiles.items():
        named = polygons["tiles"].str.contains(tile)
        assert named.equals(polygons.intersects(footprint))


def test_blocks_that_leave_a_class_on_one_side():
    frame = joined(
        layer(600, codes=(11, 12)), framed(boxes_in_a_row(5, 60), 31, 2**31 + np.arange(5))
    )
    with pytest.raises(SplitError, match=r"wood \(31\) has 5, but no (test|training) polygon"):
        split(frame, mode="blocks", square_m=400.0)
    polygons, report = split(frame, mode="blocks", square_m=400.0, leave_out_scarce=True)
    assert [row["code"] for row in report["left_out"]] == [31]
    assert set(polygons["code"]) == {11, 12}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"mode": "tiles"}, "split.mode is 'tiles'"),
        ({"test_share": 1.0}, "split.test_share is 1.0"),
        ({"validation_share": 0.0}, "split.validation_share is 0.0"),
        ({"min_distance": -1.0}, "split.min_distance is -1.0 m"),
        ({"square_m": 0.0}, "split.square_m is 0.0 m"),
        ({"balance_tolerance": 2.0}, "split.balance_tolerance is 2.0"),
        ({"minimum_polygons": 1}, "split.minimum_polygons is 1"),
    ],
)
def test_settings_without_sense(setting, message):
    with pytest.raises(SplitError, match=message):
        SplitOptions(seed=1, **setting)


def test_a_class_without_name():
    with pytest.raises(SplitError, match=r"codes \[31\], the classes are \[11, 12\]"):
        split(layer(80), {11: "summer", 12: "winter"})
