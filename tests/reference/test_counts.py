import json

import numpy as np

from fgunet.reference.counts import count_left_out, count_pixels, count_polygons, count_steps

NAMES = {11: "summer crops", 31: "forest", 51: "water", 53: "glaciers"}


def counts():
    return count_polygons(
        code=np.array([11, 11, 31, 11]),
        source=np.array(["rpg", "rpg", "clc", "clc"], dtype=object),
        split=np.array([1, 3, 2, 3], dtype=np.uint8),
        tiles=["T31TCJ", "T31TCJ,T31TDJ", "T31TDJ", "T31TDJ"],
        area_m2=np.array([10_000.0, 5_000.0, 20_000.0, 2_500.0]),
        names=NAMES,
    )


def test_polygons_by_hand():
    found = counts()
    assert json.loads(json.dumps(found)) == found
    first = {"source": "clc", "code": 11, "split": "test", "polygons": 1, "hectares": 0.25}
    assert found["rows"][0] == first
    assert len(found["rows"]) == 4
    assert found["classes"]["11"]["test"] == {"polygons": 2, "hectares": 0.75}
    assert found["classes"]["11"]["test_share"] == 0.428571  # 0.75 of 1.75 ha
    assert found["classes"]["31"]["training"] == {"polygons": 0, "hectares": 0.0}
    assert found["classes"]["31"]["validation_share"] == 1
    assert found["tiles"]["T31TDJ"]["test"] == {"polygons": 2, "hectares": 0.75}
    assert found["tiles"]["T31TCJ"]["validation_share"] == 0
    assert found["splits"]["training"] == {"polygons": 1, "hectares": 1.0}
    assert found["polygons_in_several_tiles"] == 1


def test_a_class_without_polygons_is_left_out_unless_it_joined_another():
    assert count_left_out([11], [51], {31: 2, 51: 1}, NAMES) == [
        {"code": 31, "name": "forest", "polygons": 2},
        {"code": 53, "name": "glaciers", "polygons": 0},
    ]


def pixels():
    rows = [("rpg", 11, "test", 50), ("rpg", 11, "training", 90), ("clc", 11, "test", 20)]
    keys = "source", "code", "split", "pixels"
    tiles = {"T31TCJ": rows, "T31TDJ": rows[:1]}
    return count_pixels(
        {"tile": tile, "pixels": [dict(zip(keys, row, strict=True)) for row in own]}
        for tile, own in tiles.items()
    )


def test_pixels_of_tiles_add_up():
    found = pixels()
    assert json.loads(json.dumps(found)) == found
    assert found["rows"] == [
        {"source": "clc", "code": 11, "split": "test", "pixels": 20},
        {"source": "rpg", "code": 11, "split": "training", "pixels": 90},
        {"source": "rpg", "code": 11, "split": "test", "pixels": 100},
    ]
    assert found["splits"] == {"training": 90, "validation": 0, "test": 120}
    assert found["tiles"]["T31TDJ"] == {"training": 0, "validation": 0, "test": 50}


def test_no_tile_has_no_pixels():
    assert count_pixels([])["splits"] == {"training": 0, "validation": 0, "test": 0}


def test_steps_end_with_the_split_and_its_pixels():
    fusion = {
        "sources": [
            {
                "name": "rpg",
                "steps": [
                    {"step": "read", "features": 9, "classes": {}},
                    {
                        "step": "fused",
                        "classes": {
                            "211": {"polygons": 1, "hectares": 4.0},
                            "11": {"polygons": 3, "hectares": 2.0},
                        },
                    },
                ],
            },
            {"name": "rgi"},
        ]
    }
    assert count_steps(fusion, counts(), pixels()) == [
        {"source": "rpg", "step": "read", "code": None, "features": 9},
        {"source": "rpg", "step": "fused", "code": 11, "polygons": 3, "hectares": 2.0},
        {"source": "rpg", "step": "fused", "code": 211, "polygons": 1, "hectares": 4.0},
        {
            "source": "rpg", "step": "split", "code": 11,
            "polygons": 2, "hectares": 1.5, "pixels": 190,
        },
    ]  # fmt: skip
