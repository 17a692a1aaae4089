import csv
import math

import numpy as np
import pytest

from fgunet.errors import ReferenceDataError
from fgunet.nomenclature import read_nomenclature
from fgunet.reference.source import Source
from fgunet.reference.translation import (
    check_fed,
    check_translations,
    plain_translation,
    read_translation,
    source_codes,
    translate,
)

TABLES = {
    "clc_oso17": 44 + 3,
    "clc_grid_oso17": 44 + 3,
    "urban_atlas_oso17": 27 + 2,
    "rpg_oso17": 350,
    "bdtopo_water_oso17": 29,
    "bdtopo_buildings_oso17": 23,
    "bdtopo_roads_oso17": 15,
    "rgi6_oso17": 5,
    "rgi7_oso17": 11,
}
# Classes of CORINE in the order of the grid codes 1 to 44 (CLC nomenclature guidelines, 2019).
CLC = [
    *(111, 112, 121, 122, 123, 124, 131, 132, 133, 141, 142),
    *(211, 212, 213, 221, 222, 223, 231, 241, 242, 243, 244),
    *(311, 312, 313, 321, 322, 323, 324, 331, 332, 333, 334, 335),
    *(411, 412, 421, 422, 423, 511, 512, 521, 522, 523),
]
# The 27 classes of Urban Atlas 2018 (mapping guide, version 6.3).
URBAN_ATLAS = [
    *(11100, 11210, 11220, 11230, 11240, 11300, 12100, 12210, 12220, 12230, 12300, 12400),
    *(13100, 13300, 13400, 14100, 14200, 21000, 22000, 23000, 24000, 25000),
    *(31000, 32000, 33000, 40000, 50000),
]


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
        ("clc_grid_oso17", "23", 31),
        ("clc_grid_oso17", "44", 51),
        ("rgi6_oso17", "0", 53),
        ("rgi6_oso17", "3", None),
        ("rgi7_oso17", "0", 53),
        ("rgi7_oso17", "9", None),
    ],
)
def test_shipped_rows(tables, table, source_code, code):
    assert tables[table][source_code] == code


def test_every_shipped_row_has_a_meaning(root):
    paths = sorted((root / "tables").glob("*.csv"))
    assert {path.stem for path in paths} == set(TABLES)
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            assert all(row["meaning"].strip() for row in csv.DictReader(file)), path


def test_every_class_of_corine_and_urban_atlas_is_in_its_table(tables):
    assert len(CLC) == 44
    assert len(URBAN_ATLAS) == 27
    assert set(tables["clc_oso17"]) == {*map(str, CLC), "990", "995", "999"}
    assert set(tables["urban_atlas_oso17"]) == {*map(str, URBAN_ATLAS), "91000", "92000"}


def test_grid_codes_of_corine_lead_where_its_classes_do(tables):
    grid = tables["clc_grid_oso17"]
    assert set(grid) == {*map(str, range(1, 45)), "48", "49", "50"}
    for number, code in enumerate(CLC, start=1):
        assert grid[str(number)] == tables["clc_oso17"][str(code)]


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


HEAD = "source_code,code,meaning\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ((HEAD + "1,11,forêt\n").encode("latin-1"), "UnicodeDecodeError.*save it as CSV.*UTF-8"),
        ((HEAD + "1,11,x\n").encode("utf-16"), "UnicodeDecodeError.*save it as CSV.*UTF-8"),
        (f"{HEAD}1,11,{'x' * 200_000}\n".encode(), "field larger than field limit.*save it"),
        (f'{HEAD}1,11,"x\n2,12,y\n'.encode(), "unexpected end of data.*save it"),
        (f"{HEAD}1,11,x\n3\n".encode(), "line 3: 1 fields in place of 3"),
        (f"{HEAD}1,11,x\n311,1".encode(), "line 3: 2 fields in place of 3"),
        (f"{HEAD}1,11,x,y\n".encode(), "line 2: 4 fields in place of 3"),
        (f"{HEAD}1,11,x\r y\n".encode(), "line 3: 1 fields in place of 3"),
        (f"{HEAD}1,{'1' * 5000},x\n".encode(), "line 2: code '1+ is not a whole number"),
        (f"{HEAD}1,١١,x\n".encode(), "line 2: code '١١' is not a whole number"),
        (f"{HEAD}1,-11,x\n".encode(), "line 2: code '-11' is not a whole number"),
        (HEAD.encode(), "has no rows: add one"),
        (b"", "source_code, code, meaning"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_table_that_cannot_be_meant_is_one_error(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    with pytest.raises(ReferenceDataError, match=rf"table\.csv .*{message}") as caught:
        read_translation(path)
    assert len(str(caught.value)) < 500


def test_a_table_may_come_from_a_spreadsheet(tmp_path):
    path = tmp_path / "table.csv"
    text = 'source_code,code,meaning\r\n\r\n"a, b", 11 ,"says ""x"""\r\n7,,\r\n'
    path.write_text(text, encoding="utf-8-sig", newline="")
    assert read_translation(path) == {"a, b": 11, "7": None}


def test_codes_outside_the_nomenclature_are_listed_for_all_tables():
    with pytest.raises(ReferenceDataError, match=r"a leads to \[7, 9\]; b leads to \[8\]"):
        check_translations({"a": {"x": 9, "y": 7, "z": None}, "b": {"x": 8}, "c": {"x": 1}}, [1])


def test_source_codes_of_numbers_text_and_nothing():
    values = [311, 311.0, np.int64(5), " BTH ", "", None, math.nan, 1.5]
    assert source_codes(values).tolist() == ["311", "311", "5", "BTH", None, None, None, "1.5"]


def test_translate_names_file_field_values_and_table():
    values = source_codes(["a", "b", "zz", None, "yy"])
    with pytest.raises(ReferenceDataError) as caught:
        translate(values, {"a": 1, "b": None}, path="f.gpkg", what="field F", table="t.csv")
    for part in ("f.gpkg", "field F", "t.csv", "'yy', 'zz'"):
        assert part in str(caught.value)
    done = translate(values[[0, 1, 3]], {"a": 1, "b": None}, path="", what="", table="")
    assert done.tolist() == [1, 0, 0]


def test_plain_codes_outside_the_nomenclature_need_ignoring():
    values = source_codes([31, 99, 7])
    with pytest.raises(ReferenceDataError, match=r"f\.gpkg: field CODE holds 7, 99.*ignore_codes"):
        plain_translation(values, [31], [], path="f.gpkg", what="field CODE")
    table = plain_translation(values, [31], [99, 7], path="f.gpkg", what="field CODE")
    assert table == {"31": 31, "99": None, "7": None}


def test_a_million_values_translate_like_each_alone():
    rng = np.random.default_rng(1)
    values = source_codes(rng.integers(0, 50, 10_000).astype(float))
    table = {str(i): (i + 1 if i % 3 else None) for i in range(50)}
    done = translate(values, table, path="", what="", table="")
    assert done.tolist() == [table[value] or 0 for value in values]
    assert source_codes(np.zeros(0)).tolist() == []
    assert translate(source_codes([]), {}, path="", what="", table="").tolist() == []


def test_a_class_that_no_source_feeds_is_named():
    names = {11: "summer crops", 31: "forest", 53: "glaciers", 44: "roads"}
    crops = Source("crops", "p", field="f", translation={"a": 11, "b": None})
    roads = Source("roads", "p", code=44)
    with pytest.raises(ReferenceDataError, match=r"classes forest \(31\), glaciers \(53\); add"):
        check_fed(names, [crops, roads])
    # A field of codes may hold all but those it ignores.
    plain = Source("plain", "p", expression="f", ignore_codes=(53,))
    with pytest.raises(ReferenceDataError, match=r"classes glaciers \(53\);"):
        check_fed(names, [crops, roads, plain])
    check_fed(names, [plain, Source("rgi", "p", code=53)])


def test_shipped_tables_feed_all_classes(root, tables):
    names = read_nomenclature(root / "tables" / "oso17.yaml").names
    check_fed(names, [Source(n, "p", field="f", translation=t) for n, t in tables.items()])
