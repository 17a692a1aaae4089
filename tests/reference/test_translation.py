import csv
import math

import numpy as np
import pytest

from fgunet.errors import ReferenceDataError
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.translation import (
    check_translations,
    plain_translation,
    read_translation,
    source_codes,
    translate,
)

TABLES = {
    "clc_oso17": 44,
    "urban_atlas_oso17": 29,
    "rpg_oso17": 350,
    "bdtopo_water_oso17": 29,
    "bdtopo_buildings_oso17": 23,
    "bdtopo_roads_oso17": 15,
}


@pytest.fixture(scope="module")
def tables(root):
    return {name: read_translation(root / "tables" / f"{name}.csv") for name in TABLES}


def test_shipped_tables_are_complete_and_lead_to_the_nomenclature(root, tables):
    codes = read_nomenclature(root / "tables" / "oso17.yaml").codes
    check_translations(tables, codes)
    assert {name: len(table) for name, table in tables.items()} == TABLES
    reached = {code for table in tables.values() for code in table.values()} - {None}
    assert reached == set(codes)


@pytest.mark.parametrize(
    ("table", "source_code", "code"),
    [
        ("clc_oso17", "311", 31),
        ("clc_oso17", "324", 36),
        ("clc_oso17", "221", 222),
        ("clc_oso17", "222", 221),
        ("clc_oso17", "313", None),
        ("urban_atlas_oso17", "11100", 41),
        ("urban_atlas_oso17", "11300", 42),
        ("urban_atlas_oso17", "12230", None),
        ("rpg_oso17", "BTH", 12),
        ("rpg_oso17", "SOJ", 11),
        ("rpg_oso17", "PRL", 211),
        ("rpg_oso17", "VRC", 222),
        ("bdtopo_water_oso17", "Glacier, névé", 53),
        ("bdtopo_buildings_oso17", "Industriel", 43),
        ("bdtopo_roads_oso17", "Chemin", None),
        ("bdtopo_roads_oso17", "Route à 1 chaussée", 44),
    ],
)
def test_shipped_rows(tables, table, source_code, code):
    assert tables[table][source_code] == code


def test_every_rpg_crop_code_is_in_the_table(shared_data, tables):
    path = shared_data / "reference" / "rpg_crop_codes.csv"
    with path.open(encoding="latin-1", newline="") as file:
        crops = {row["Code Culture"] for row in csv.DictReader(file, delimiter=";")}
    assert crops == set(tables["rpg_oso17"])


def test_all_faults_of_a_table_are_listed(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("source_code,code,meaning\n1,11,a\n1,12,b\n2,x,c\n,3,d\n")
    with pytest.raises(ReferenceDataError) as caught:
        read_translation(path)
    for part in (str(path), "line 3", "line 4: code 'x'", "line 5"):
        assert part in str(caught.value)


def test_missing_table_and_columns(tmp_path):
    with pytest.raises(ReferenceDataError, match="no translation table"):
        read_translation(tmp_path / "none.csv")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ReferenceDataError, match="source_code, code, meaning"):
        read_translation(tmp_path / "table.csv")


def test_codes_outside_the_nomenclature_are_listed_for_all_tables():
    with pytest.raises(ReferenceDataError, match=r"a leads to \[7, 9\]; b leads to \[8\]"):
        check_translations({"a": {"x": 9, "y": 7, "z": None}, "b": {"x": 8}, "c": {"x": 1}}, [1])


def test_source_codes_of_numbers_text_and_nothing():
    values = [311, 311.0, np.int64(5), " BTH ", "", None, math.nan, 1.5]
    assert source_codes(values).tolist() == ["311", "311", "5", "BTH", None, None, None, "1.5"]


def test_translate_names_file_field_values_and_table():
    values = source_codes(["a", "b", "zz", None, "yy"])
    with pytest.raises(ReferenceDataError) as caught:
        translate(values, {"a": 1, "b": None}, path="f.gpkg", field="F", table="t.csv")
    for part in ("f.gpkg", "field F", "t.csv", "'yy', 'zz'"):
        assert part in str(caught.value)
    done = translate(values[[0, 1, 3]], {"a": 1, "b": None}, path="", field="", table="")
    assert done.tolist() == [1, 0, 0]


def test_plain_codes_outside_the_nomenclature_need_ignoring():
    values = source_codes([31, 99, 7])
    with pytest.raises(ReferenceDataError, match=r"f\.gpkg: field CODE holds 7, 99.*ignore_codes"):
        plain_translation(values, [31], [], path="f.gpkg", field="CODE")
    table = plain_translation(values, [31], [99, 7], path="f.gpkg", field="CODE")
    assert table == {"31": 31, "99": None, "7": None}
