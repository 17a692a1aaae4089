import json

import numpy as np
import shapely

from fgunet.reference.distances import distances_to_training, summarise_distances


def test_nearest_edges_by_hand():
    shapes = [shapely.box(x, 0, x + 10, 10) for x in (0, 30, 100, 400)]
    # Training at 0 and 400, validation at 30, test at 100: 90 m from the one, 290 from the other.
    split = np.array([1, 2, 3, 1], dtype=np.uint8)
    assert distances_to_training(np.array(shapes, dtype=object), split).tolist() == [90.0]


def test_equals_brute_force_in_parts(monkeypatch):
    monkeypatch.setattr("fgunet.reference.distances._CHUNK", 9)
    rng = np.random.default_rng(1)
    shapes = shapely.buffer(shapely.points(rng.uniform(0, 2000, (80, 2))), rng.uniform(5, 60, 80))
    split = rng.integers(1, 4, 80).astype(np.uint8)
    expected = shapely.distance(shapes[split == 3][:, None], shapes[split == 1][None]).min(axis=1)
    np.testing.assert_allclose(distances_to_training(shapes, split), expected)


def test_without_training_nothing_is_near():
    shapes = np.array([shapely.box(0, 0, 1, 1)], dtype=object)
    distance = distances_to_training(shapes, np.array([3], dtype=np.uint8))
    assert distance.tolist() == [np.inf]
    found = summarise_distances(distance, np.array([11]), {11: "summer crops"})
    assert found["percentiles"] == {}
    assert found["classes"] == {}
    assert sum(found["histogram"]["counts"]) == 0
    assert found["polygons"] == 1


def test_summary_by_hand():
    distance = np.array([0.0, 10.0, 19.0, 20_000.0, 40.0])
    code = np.array([11, 11, 11, 31, 31])
    found = summarise_distances(distance, code, {11: "summer crops", 31: "forest"})
    assert json.loads(json.dumps(found)) == found
    assert found["percentiles"]["50"] == 19
    assert (found["percentiles"]["0"], found["percentiles"]["100"]) == (0, 20_000)
    assert found["histogram"]["edges_m"][:4] == [0, 10, 20, 50]
    assert found["histogram"]["counts"] == [1, 2, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found["classes"]["31"] == {"name": "forest", "polygons": 2, "median_m": 10_020}
