import json

import numpy as np

from fgunet.reference.tally import Tally


def test_the_tally_by_hand():
    tally = Tally("rpg", precedence=2, year=2016, read=9, mended=1, hollow={"no geometry": 4})
    tally.drop_features("the same feature twice", 2)
    tally.drop_features("empty geometry", 0)
    tally.ignore_values(np.array(["JAC", "JAC", "ZZ"], dtype=object))
    tally.drop_polygons("no width", np.array([100.0, 50.0]))
    tally.drop_polygons("no width", np.array([50.0]))
    tally.drop_polygons("outside the tiles", np.zeros(0))
    code, area = np.array([11, 31, 11]), np.array([10_000.0, 5_000.0, 2_500.0])
    tally.translate(code, area)
    tally.keep(code[:2], area[:2])
    told = tally.to_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["features_dropped"] == {"the same feature twice": 2}
    assert told["features_ignored_by_value"] == {"JAC": 2, "ZZ": 1}
    assert told["polygons_dropped"] == {"no width": {"polygons": 3, "hectares": 0.02}}
    assert told["polygons_kept"] == told["steps"][2]["classes"]
    assert told["steps"][1] == {
        "step": "translated",
        "classes": {
            "11": {"polygons": 2, "hectares": 1.25},
            "31": {"polygons": 1, "hectares": 0.5},
        },
    }
    assert told["steps"][0] == {"step": "read", "features": 9, "classes": {}}
    line = str(tally)
    for part in ("9 features read", "1 mended", "3 ignored", "4 in the whole layer have no geom"):
        assert part in line
    assert "linearised" not in line
