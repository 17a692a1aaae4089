"""Configurations and nomenclatures with texts that cannot be meant."""

import copy
import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import yaml

from fgunet.config import validated
from fgunet.errors import ConfigError, NomenclatureError
from fgunet.nomenclature import read_nomenclature


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
    [*((place, "\n") for place in NAMES), *(("title", one) for one in "\0\x1b\u2028\x85")],
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


@pytest.mark.parametrize("tile", ["../../T31TCJ", "T31TCJ; touch pwned", "T31TC", "t31tcj", "", 31])
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
    path.write_text(text)
    with pytest.raises(NomenclatureError, match=r"classes\.yaml is not a nomenclature") as error:
        read_nomenclature(path)
    assert len(str(error.value)) < 1000
    assert list(tmp_path.iterdir()) == [path]
