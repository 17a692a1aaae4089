import pandas as pd

from fgunet.report.regularised import regularised_section

TABLE = pd.DataFrame(
    {"method": ["fgunet", "forest"], "kappa": [0.9, 0.8], "kappa_lower": [0.88, 0.7],
     "kappa_upper": [0.92, 0.9], "group_f": [0.5, None]}
)  # fmt: skip
FILTERS = {
    "fgunet": {"majority_radius": 0, "minimum_area_m2": 2500, "protect": [44, 51]},
    "forest": {"majority_radius": 2, "minimum_area_m2": 0, "protect": []},
}
CONFIGURATION = {"mapping": {"regularisation": FILTERS}}


def test_scores_and_filters_of_each_method(nomenclature):
    section = regularised_section(TABLE, CONFIGURATION, nomenclature, "urban")
    assert section["scores"] == ["Cohen's kappa", "F-score of urban classes, mean"]
    first, second = section["rows"]
    assert first["filters"] == (
        "patches below 2\u202f500 m² joined to their largest neighbour; protected: roads, water"
    )
    assert second["filters"] == "majority of radius 2"
    assert [cell["value"] for cell in first["cells"]] == ["0.900", "0.500"]
    assert first["cells"][0]["interval"] == "0.880 to 0.920"
    assert second["cells"][1]["value"] == "–"


def test_nothing_where_nothing_is_filtered(nomenclature):
    assert regularised_section(pd.DataFrame(), {}, nomenclature, None) == {}
