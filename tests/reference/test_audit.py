import json

import numpy as np
import pytest
import shapely

from fgunet.errors import SplitError
from fgunet.reference.audit import check_leakage, count_polygons, require_no_leak


def leakage(shapes, ids, feature, split):
    return check_leakage(
        np.array(shapes, dtype=object),
        np.array(ids),
        np.array(feature),
        np.array(split, dtype=np.uint8),
    )


def test_counts_by_hand():
    counts = count_polygons(
        code=np.array([11, 11, 31, 11]),
        source=np.array(["rpg", "rpg", "clc", "clc"], dtype=object),
        split=np.array([1, 3, 2, 3], dtype=np.uint8),
        tiles=["T31TCJ", "T31TCJ,T31TDJ", "T31TDJ", "T31TDJ"],
        area_m2=np.array([10_000.0, 5_000.0, 20_000.0, 2_500.0]),
        names={11: "summer crops", 31: "forest"},
    )
    assert json.loads(json.dumps(counts)) == counts
    assert counts["rows"][0] == {
        "source": "clc",
        "code": 11,
        "split": "test",
        "polygons": 1,
        "hectares": 0.25,
    }
    assert len(counts["rows"]) == 4
    assert counts["classes"]["11"]["test"] == {"polygons": 2, "hectares": 0.75}
    assert counts["classes"]["31"]["training"] == {"polygons": 0, "hectares": 0.0}
    assert counts["tiles"]["T31TDJ"]["test"] == {"polygons": 2, "hectares": 0.75}
    assert counts["polygons_in_several_tiles"] == 1


def test_a_sound_split_has_neighbours_only():
    found = leakage(
        [shapely.box(0, 0, 10, 10), shapely.box(10, 0, 20, 10), shapely.box(50, 0, 60, 10)],
        [1, 2, 3],
        [1, 2, 3],
        [1, 3, 2],
    )
    assert found["neighbours_between_splits"] == 1
    assert sum(found.values()) == 1
    require_no_leak(found)


def test_each_leak_is_found_and_stops_the_run():
    box = shapely.box(0, 0, 10, 10)
    far = shapely.box(90, 0, 99, 10)
    overlap = leakage([box, shapely.box(9, 0, 19, 10)], [1, 2], [1, 2], [1, 3])
    assert overlap["overlaps_between_splits"] == 1
    assert overlap["overlaps_between_splits_m2"] == 10
    # The same overlap within one split leaks nothing.
    require_no_leak(leakage([box, shapely.box(9, 0, 19, 10)], [1, 2], [1, 2], [1, 1]))
    cases = {
        "overlaps_between_splits": overlap,
        "features_in_several_splits": leakage([box, far], [1, 2], [7, 7], [1, 3]),
        "polygon_ids_repeated": leakage([box, far], [1, 1], [1, 2], [1, 3]),
        "polygons_without_split": leakage([box, far], [1, 2], [1, 2], [1, 0]),
    }
    for name, found in cases.items():
        with pytest.raises(SplitError, match=f"{name} = 1"):
            require_no_leak(found)
