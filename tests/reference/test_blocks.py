import geopandas as gpd
import numpy as np
import pytest
import shapely

from fgunet.reference.blocks import cut_to_blocks, side_of_squares
from fgunet.reference.ground import cut_by_squares
from fgunet.reference.sides import BLOCKS, SplitOptions


def options(**changes):
    return SplitOptions(**{"seed": 4, "mode": BLOCKS, "square_m": 1000.0} | changes)


def layer(shapes, feature=None):
    n = len(shapes)
    feature = np.arange(n) if feature is None else feature
    return gpd.GeoDataFrame({"feature": feature}, geometry=list(shapes), crs="EPSG:2154")


def scattered(count=300, seed=2):
    rng = np.random.default_rng(seed)
    points = shapely.points(rng.uniform(0, 12_000, (count, 2)))
    return shapely.buffer(points, rng.uniform(20, 400, count))


def test_squares_have_the_shares_and_are_spread_evenly():
    i, j = np.meshgrid(np.arange(-500, 500), np.arange(6000, 7000))
    side = side_of_squares(np.stack([i.ravel(), j.ravel()], axis=1), options())
    share = np.bincount(side, minlength=4) / side.size
    assert share[1:] == pytest.approx([0.66 * 0.9, 0.066, 0.34], abs=0.002)
    # Any 20 x 20 squares, about a tile of 11 km squares' worth, are near the share too.
    parts = (side.reshape(1000, 1000) == 3).reshape(50, 20, 50, 20).mean(axis=(1, 3))
    assert abs(parts - 0.34).max() < 0.04


def test_the_seed_counts_and_the_square_alone():
    cell = np.stack([np.arange(1000), np.arange(1000) % 37], axis=1)
    side = side_of_squares(cell, options())
    np.testing.assert_array_equal(side_of_squares(cell[::-1], options()), side[::-1])
    assert (side != side_of_squares(cell, options(seed=5))).any()


def test_no_square_has_two_sides():
    frame, _ = cut_to_blocks(layer(scattered()), options())
    _, owner, cell = cut_by_squares(frame.geometry.to_numpy(), 1000.0)
    np.testing.assert_array_equal(side_of_squares(cell, options()), frame["side"].to_numpy()[owner])


def test_a_feature_keeps_the_side_of_most_of_its_ground_and_all_is_counted():
    shapes = scattered()
    before = layer(shapes, np.arange(300) // 2)
    frame, given_up = cut_to_blocks(before, options())
    assert (frame.groupby("feature")["side"].nunique() == 1).all()
    piece, owner, cell = cut_by_squares(shapes, 1000.0)
    side, area = side_of_squares(cell, options()), shapely.area(piece)
    ground = np.zeros((150, 4))
    np.add.at(ground, (owner // 2, side), area)
    best = ground.argmax(axis=1)
    assert (frame["side"] == best[frame["feature"]]).all()
    lost = given_up["cut"]["hectares"] + given_up["lost"]["hectares"]
    assert frame.area.sum() / 1e4 + lost == pytest.approx(before.area.sum() / 1e4, abs=1e-3)
    assert frame.area.sum() == pytest.approx(ground.max(axis=1).sum())


def test_sides_keep_their_distance():
    frame, _ = cut_to_blocks(layer(scattered(600)), options(min_distance=120.0))
    shapes, side = frame.geometry.to_numpy(), frame["side"].to_numpy()
    assert len(set(side)) == 3
    nearest = [
        shapely.distance(shapely.union_all(shapes[side == a]), shapely.union_all(shapes[side == b]))
        for a, b in ((1, 2), (1, 3), (2, 3))
    ]
    assert min(nearest) >= 120.0 - 1e-6


def test_what_is_wholly_near_another_side_is_lost():
    cell = np.array([[i, 0] for i in range(40)])
    side = side_of_squares(cell, options())
    i = int(np.flatnonzero(side[1:] != side[:-1])[0])
    x = (i + 1) * 1000.0
    frame, given_up = cut_to_blocks(
        layer([shapely.box(x - 30, 400, x - 10, 420), shapely.box(x - 500, 400, x - 480, 420)]),
        options(min_distance=100.0),
    )
    assert frame["feature"].tolist() == [1]
    assert given_up["lost"] == {"polygons": 1, "hectares": 0.04}
