import numpy as np
import pytest
import shapely

from fgunet.errors import SplitError
from fgunet.reference.leakage import check_leakage, require_no_leak

BOX = shapely.box(0, 0, 10, 10)
FAR = shapely.box(90, 0, 99, 10)


def leakage(shapes, ids, feature, split, **more):
    return check_leakage(
        np.array(shapes, dtype=object),
        np.array(ids),
        np.array(feature),
        np.array(split, dtype=np.uint8),
        **more,
    )


def test_a_sound_split_has_neighbours_only():
    beside = shapely.box(10, 0, 20, 10)
    found = leakage([BOX, beside, shapely.box(50, 0, 60, 10)], [1, 2, 3], [1, 2, 3], [1, 3, 2])
    assert found["neighbours_between_splits"] == 1
    assert sum(found.values()) == 1
    require_no_leak(found)


@pytest.mark.parametrize(
    ("name", "shapes", "ids", "feature", "split"),
    [
        ("overlaps_between_splits", [BOX, shapely.box(9, 0, 19, 10)], [1, 2], [1, 2], [1, 3]),
        ("features_in_several_splits", [BOX, FAR], [1, 2], [7, 7], [1, 3]),
        ("polygon_ids_repeated", [BOX, FAR], [1, 1], [1, 2], [1, 3]),
        ("polygons_without_split", [BOX, FAR], [1, 2], [1, 2], [1, 0]),
    ],
)
def test_each_leak_is_found_and_stops_the_run(name, shapes, ids, feature, split):
    found = leakage(shapes, ids, feature, split)
    assert found[name] == 1
    with pytest.raises(SplitError, match=rf"{name} = 1.*remove the folder"):
        require_no_leak(found)


def test_overlaps_count_between_splits_alone():
    overlap = [BOX, shapely.box(9, 0, 19, 10)]
    assert leakage(overlap, [1, 2], [1, 2], [1, 3])["overlaps_between_splits_m2"] == 10
    require_no_leak(leakage(overlap, [1, 2], [1, 2], [1, 1]))


def test_polygons_closer_than_the_least_distance():
    shapes = [BOX, shapely.box(40, 0, 50, 10), shapely.box(79.5, 0, 85, 10)]
    # 30 m and 29.5 m apart.
    found = leakage(shapes, [1, 2, 3], [1, 2, 3], [1, 3, 2], min_distance=30.0)
    assert found["closer_than_min_distance"] == 1
    with pytest.raises(SplitError, match="closer_than_min_distance = 1"):
        require_no_leak(found)
    same_side = leakage(shapes, [1, 2, 3], [1, 2, 3], [1, 3, 3], min_distance=30.0)
    assert same_side["closer_than_min_distance"] == 0
    assert "closer_than_min_distance" not in leakage(shapes, [1, 2, 3], [1, 2, 3], [1, 3, 2])


def test_many_polygons_are_looked_at_in_parts(monkeypatch):
    rng = np.random.default_rng(3)
    shapes = shapely.buffer(shapely.points(rng.uniform(0, 300, (60, 2))), 12)
    split = rng.integers(1, 4, 60).astype(np.uint8)
    number = np.arange(60)
    whole = check_leakage(shapes, number, number, split, min_distance=20.0)
    monkeypatch.setattr("fgunet.reference.leakage._CHUNK", 7)
    assert check_leakage(shapes, number, number, split, min_distance=20.0) == whole
    apart = [(i, j) for i in range(60) for j in range(i) if split[i] != split[j]]
    distance = np.array([shapes[i].distance(shapes[j]) for i, j in apart])
    shared = np.array([shapes[i].intersection(shapes[j]).area for i, j in apart])
    assert whole["closer_than_min_distance"] == (distance < 20).sum() > 0
    assert whole["neighbours_between_splits"] == (distance == 0).sum() > 0
    assert whole["overlaps_between_splits_m2"] == pytest.approx(shared.sum(), abs=0.01)
