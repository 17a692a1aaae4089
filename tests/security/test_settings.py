"""Configurations and nomenclatures with texts that cannot be meant."""

import copy
import datetime as dt
import math
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgunet.config import require_keys_once, validated
from fgunet.errors import ConfigError, NomenclatureError, SeriesError
from fgunet.nomenclature import read_nomenclature
from fgunet.series.dates import dates_of


@pytest.fixture
def config(root: Path) -> dict[str, Any]:
    text = (root / "workflow_config.yaml").read_text(encoding="utf-8")
    return copy.deepcopy(yaml.safe_load(text))


def put(config: dict[str, Any], place: str, value: Any) -> None:
    *sections, key = [int(part) if part.isdigit() else part for part in place.split(".")]
    part: Any = config
    for section in sections:
        part = part.setdefault(section, {}) if isinstance(part, dict) else part[section]
    part[key] = value


NAMES = ["title", "nomenclature", "products.folder", "reference.sources.0.path",
         "reference.sources.0.name", "reference.sources.0.layer", "reference.sources.0.field",
         "reference.crs", "tiles.0", "accuracy.block_run", "accuracy.sample.labelled",
         "accuracy.focus_group", "mapping.mosaic_crs", "forest.classifier"]  # fmt: skip


@pytest.mark.parametrize(
    ("place", "character"),
    [
        *((place, "\n") for place in NAMES),
        *(("title", one) for one in "\0\x1b\u2028\x85\u202e\u2066"),
    ],
)
def test_control_characters_are_refused(config: dict[str, Any], place: str, character: str) -> None:
    """At the end too, where the pattern of a tile's name would pass a line break."""
    value = {"tiles.0": config["tiles"][0], "reference.crs": "EPSG:3035"}.get(place, "oso17")
    put(config, place, value + character)
    with pytest.raises(ConfigError, match="holds a line break or another control character"):
        validated(config)


def test_sql_may_have_several_lines(config: dict[str, Any]) -> None:
    put(config, "reference.sources.0.where", "CODE > 1\n\tAND CODE < 9\n")
    assert validated(config)["reference"]["sources"][0]["where"].count("\n") == 2
    put(config, "reference.sources.0.where", "CODE > 1\x00")
    with pytest.raises(ConfigError, match="control character"):
        validated(config)


@pytest.mark.parametrize(
    "place",
    ["title", "nomenclature", "products.folder", "reference.sources.0.path", "accuracy.block_run",
     "reference.sources.0.translation", "accuracy.sample.labelled"],
)  # fmt: skip
def test_a_text_with_braces_is_no_wildcard(config: dict[str, Any], place: str) -> None:
    put(config, place, "data/{tile}/a")
    with pytest.raises(ConfigError, match=r"has a brace, which Snakemake takes for a wildcard"):
        validated(config)


@pytest.mark.parametrize(
    "tile",
    ["../../T31TCJ", "T31TCJ; touch pwned", "T31TC", "t31tcj", "", 31, "T00TCJ", "T61TCJ", "T99ZZZ",
     "T31ACJ", "T31TIJ", "T31TCW"],
)  # fmt: skip
def test_a_tile_is_named_like_one(config: dict[str, Any], tile: Any) -> None:
    config["tiles"].append(tile)
    with pytest.raises(ConfigError, match=r"tiles\[11\]"):
        validated(config)


@pytest.mark.parametrize(
    "crs", ["EPSG:32631; touch pwned", "+proj=utm", "/etc/passwd", "PROJCS[]", "http://a.org/crs"]
)
def test_a_coordinate_system_is_a_code(config: dict[str, Any], crs: str) -> None:
    config["mapping"]["mosaic_crs"] = crs
    with pytest.raises(ConfigError, match=r"mapping\.mosaic_crs"):
        validated(config)


@pytest.mark.parametrize(
    ("place", "crs", "message"),
    [
        ("reference.crs", "EPSG:999999", "is no coordinate system"),
        ("reference.crs", f"EPSG:{'9' * 400}", "is no coordinate system"),
        ("reference.crs", "EPSG:4326", "the units of EPSG:4326 are degree; choose"),
        ("mapping.mosaic_crs", "EPSG:999999", "is no coordinate system"),
    ],
)
def test_a_coordinate_system_is_one(
    config: dict[str, Any], place: str, crs: str, message: str
) -> None:
    put(config, place, crs)
    with pytest.raises(ConfigError, match=f"{place}: .*{message}"):
        validated(config)


def test_a_mosaic_may_be_in_degrees(config: dict[str, Any]) -> None:
    config["mapping"] |= {"mosaic_crs": "EPSG:4326", "mosaic_resolution": 0.0001}
    assert validated(config)["mapping"]["mosaic_crs"] == "EPSG:4326"


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("series.first_date", "99991230"),
        ("series.first_date", "00010101"),
        ("series.n_dates", 33.0),
        ("series.n_dates", True),
        ("series.n_dates", 3_000_000),
        ("series.step_days", 10**9),
        ("series.margin_days", 10**30),
        ("series.max_gap_days", math.inf),
        ("series.minimum_acquisitions", 10**400),
        ("seed", 2018.0),
        ("reference.minimum_area_m2", math.nan),
        ("reference.sources.0.minimum_area_m2", 1e308),
        ("reference.sources.0.buffer_m", 1001),
        ("reference.sources.0.buffer_m", math.inf),
        ("forest.parameters", {"max_features": -1e13}),
    ],
)
def test_a_number_is_one_that_can_be_meant(config: dict[str, Any], place: str, value: Any) -> None:
    put(config, place, value)
    with pytest.raises(ConfigError, match="the configuration has 1 error") as error:
        validated(config)
    assert place.replace(".0", "[0]") in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("path", ["os.system; x", "os", "../evil", "a b.C", "(1).x", "os.system()"])
def test_a_classifier_is_an_import_path(config: dict[str, Any], path: str) -> None:
    config["forest"]["classifier"] = path
    with pytest.raises(ConfigError, match=r"forest\.classifier"):
        validated(config)


@pytest.mark.parametrize("value", [dt.date(2016, 1, 5), {1, 2}, print, float("nan")])
def test_what_is_no_text_number_or_list_is_refused(config: dict[str, Any], value: Any) -> None:
    config["series"]["first_date"] = value
    with pytest.raises(ConfigError, match=r"put quotes around|series\.first_date"):
        validated(config)


def test_a_list_that_holds_itself_is_refused(config: dict[str, Any]) -> None:
    config["tiles"].append(config["tiles"])
    with pytest.raises(ConfigError, match="Circular"):
        validated(config)


LAUGHS = "a0: &a0 [ha]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch pwned']",
        "name: !!python/name:os.system\nclasses: []",
        f"{LAUGHS}name: *a11\nclasses: []",
        f"{LAUGHS}name: x\nclasses: [{{code: 1, name: *a11, colour: [0, 0, 0]}}]",
        f"{LAUGHS}name: x\nclasses: [{{code: 1, name: x, colour: *a11}}]",
        'name: "a\\nb"\nclasses: []',
        'name: "{tile}"\nclasses: []',
        'name: x\nclasses: [{code: 1, name: "a\\x1b[2J", colour: [0, 0, 0]}]',
    ],
)
def test_a_hostile_nomenclature_is_refused(
    tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "classes.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NomenclatureError, match=r"classes\.yaml is not a nomenclature") as error:
        read_nomenclature(path)
    assert len(str(error.value)) < 1000
    assert list(tmp_path.iterdir()) == [path]


ONE = "{code: 1, name: A, colour: [1, 2, 3]}"


def with_class(row: str) -> str:
    return f"name: N\nclasses:\n- {row}\n- {{code: 9, name: Z, colour: [1, 2, 3]}}\n"


@pytest.mark.parametrize(
    "row",
    [
        *(ONE.replace("code: 1", f"code: {code}") for code in
          [".inf", ".nan", "1.9", "1.0", "yes", "'1_1'", "0", "256", "9" * 5000, "2016-13-45"]),
        *(ONE.replace("[1, 2, 3]", colour) for colour in
          ["[.inf, 2, 3]", "'123'", "'#ff0000'", "[0.9, 0.5, 0.1]", "[true, false, true]",
           "[1, 2]", "[1, 2, 256]", "{1: r, 2: g, 3: b}", "null"]),
        *(ONE.replace("name: A", f"name: {name}") for name in
          ["NO", "null", "1:20", "2016-01-01", "''", "' '", "!!binary aGVsbG8=", "!!set {a, b}",
           '"A\\u202e"', "A" * 100_000 + "{", "Z"]),
        *(ONE.replace("}", f", {more}}}") for more in
          ["code: 2", "name: B", "color: [9, 9, 9]", "grup: urban", "group: NO", "group: [urban]"]),
        ONE.replace("code: 1, ", ""),
        "*a", "1", "[1]", "null", "[" * 20_000, "[" * 5000 + "]" * 5000,
    ],
    ids=lambda row: row[:60],
)  # fmt: skip
def test_a_class_that_cannot_be_meant_is_refused(tmp_path: Path, row: str) -> None:
    path = tmp_path / "classes.yaml"
    path.write_text(with_class(ONE), encoding="utf-8")
    assert read_nomenclature(path).codes == (1, 9)
    path.write_text(with_class(row), encoding="utf-8")
    with pytest.raises(NomenclatureError, match=r"classes\.yaml is not a nomenclature") as error:
        read_nomenclature(path)
    assert len(str(error.value)) < 1000


@pytest.mark.parametrize(
    "content",
    [b"", b"- 1", b"name: N", b"name: N\nclasses:", b"name: N\nclasses: {}", b"name: N\xe9",
     with_class(ONE).encode("utf-16"), b"name: \0", f"{with_class(ONE)}classes: []".encode(),
     f"{with_class(ONE)}---\n{with_class(ONE)}".encode(), b"name: N\nclasses: &c\n- *c\n"],
)  # fmt: skip
def test_a_file_that_holds_no_nomenclature_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "classes.yaml"
    path.write_bytes(content)
    with pytest.raises(NomenclatureError, match=r"classes\.yaml is not a nomenclature"):
        read_nomenclature(path)


def test_a_nomenclature_is_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(NomenclatureError, match="there is no nomenclature file"):
            read_nomenclature(path)


def test_classes_may_share_what_they_have_in_common(tmp_path: Path) -> None:
    """Anchors and merges, also of what was merged itself; and a group may be left empty."""
    path = tmp_path / "classes.yaml"
    path.write_text(
        "shared: &grey {colour: [9, 9, 9], group: urban}\nname: N\nclasses:\n"
        "- &one {<<: *grey, code: 1, name: A}\n"
        "- &two {<<: *one, code: 2, name: B, colour: [1, 1, 1]}\n"
        "- {<<: [*two, *one], code: 3, name: C, group: }\n"
    )
    read = read_nomenclature(path)
    assert [one.colour for one in read.classes] == [(9, 9, 9), (1, 1, 1), (1, 1, 1)]
    assert [one.group for one in read.classes] == ["urban", "urban", ""]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("seed: 1\nseed: 7\n", 2),
        ("a:\n  b: 1\n  c: 2\n  b: 3\n", 4),
        ('{"a": [{"b": 1, "b": 1}]}', 1),
        ("split:\n  merge: {46: 45, '46': 44}\n", 2),
    ],
)
def test_a_key_that_stands_twice_is_named(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=rf"run\.yaml, line {line}: the key '\w+' stands twice"):
        require_keys_once(path)


def test_what_snakemake_reads_otherwise_is_left_to_it(tmp_path: Path, root: Path) -> None:
    for path in (root / "workflow_config.yaml", *(root / "tests" / "workflow").glob("*.yaml")):
        require_keys_once(path)
    path = tmp_path / "run.json"
    for text in ('{\n\t"a":\t1\n}', "a: !!python/tuple [1]", "a: &b {c: 1}\nd: {<<: *b, c: 2}"):
        path.write_text(text)
        require_keys_once(path)
    os.mkfifo(tmp_path / "pipe")
    require_keys_once(tmp_path / "pipe")


SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
    | st.sampled_from(["99991231", "EPSG:1", "T31TCJ", 10**30, 10**400, 1e308])
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
ANY_TIME = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


def places_in(value: Any, before: str = "") -> list[str]:
    """All places of a configuration, as `put` takes them."""
    parts = value.items() if isinstance(value, dict) else enumerate(value)
    places = []
    for key, inner in parts:
        places.append(f"{before}{key}")
        if isinstance(inner, dict | list) and inner:
            places += places_in(inner, f"{before}{key}.")
    return places


@ANY_TIME
@given(data=st.data(), value=VALUES)
def test_a_configuration_is_right_or_refused(
    config: dict[str, Any], data: st.DataObject, value: Any
) -> None:
    changed = copy.deepcopy(config)
    put(changed, data.draw(st.sampled_from(places_in(config))), value)
    with suppress(ConfigError, SeriesError):
        series = validated(changed)["series"]
        dates_of(**{key: series[key] for key in ("first_date", "n_dates", "step_days", "dates")})


@ANY_TIME
@given(data=st.data(), value=VALUES)
def test_a_nomenclature_is_right_or_refused(
    tmp_path: Path, root: Path, data: st.DataObject, value: Any
) -> None:
    content = yaml.safe_load((root / "tables" / "oso17.yaml").read_text(encoding="utf-8"))
    put(content, data.draw(st.sampled_from(places_in(content))), value)
    path = tmp_path / "classes.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with suppress(NomenclatureError):
        read = read_nomenclature(path)
        assert all(isinstance(one.name, str) and type(one.code) is int for one in read.classes)


@ANY_TIME
@given(content=st.binary() | st.text().map(str.encode))
def test_any_bytes_are_no_nomenclature(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "classes.yaml"
    path.write_bytes(content)
    with pytest.raises(NomenclatureError, match=r"classes\.yaml is not a nomenclature"):
        read_nomenclature(path)
