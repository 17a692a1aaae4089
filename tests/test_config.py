import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fgunet.config import count_dates, read_schema, validated
from fgunet.errors import ConfigError


@pytest.fixture
def shipped(root: Path) -> dict[str, Any]:
    return yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))


def closed_objects(schema: Any) -> list[tuple[str, Any]]:
    """Every object of the schema, with a name for messages."""
    found = []
    stack = [("(top level)", schema)]
    while stack:
        name, part = stack.pop()
        if isinstance(part, dict):
            if "properties" in part:
                found.append((name, part))
            stack += [(str(key), value) for key, value in part.items()]
    return found


def test_schema_is_itself_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(read_schema())


def test_schema_is_closed_and_described() -> None:
    for name, part in closed_objects(read_schema()):
        assert "additionalProperties" in part, name
        for key, value in part["properties"].items():
            assert value.get("description"), f"{name}.{key} has no description"


def test_defaults_obey_the_schema() -> None:
    for _, part in closed_objects(read_schema()):
        for value in part["properties"].values():
            if "default" in value:
                jsonschema.validate(value["default"], value)


def test_shipped_file_is_valid_and_names_every_key(shipped: dict[str, Any]) -> None:
    complete = validated(shipped)
    for section in ("products", "series", "split", "fgunet", "forest", "comparison", "mapping",
                    "accuracy"):  # fmt: skip
        # The dates are given one way or the other.
        missing = {"dates"} if section == "series" else set()
        assert shipped[section].keys() | missing == complete[section].keys(), section


def test_every_shipped_key_is_explained(root: Path) -> None:
    lines = (root / "workflow_config.yaml").read_text(encoding="utf-8").splitlines()
    assert sum(line.strip().startswith("#") for line in lines) > 30


def test_minimal_configuration_is_filled(shipped: dict[str, Any]) -> None:
    minimal = {k: shipped[k] for k in read_schema()["required"]}
    complete = validated(minimal)
    assert complete["fgunet"]["width"] == 32
    assert complete["split"]["test_share"] == 0.34
    assert "simulation" not in complete
    assert minimal.keys() == set(read_schema()["required"]), "the given value is not changed"


def test_the_preset_chooses_the_model_as_the_study_did(shipped: dict[str, Any]) -> None:
    minimal = {k: shipped[k] for k in read_schema()["required"]}
    own = {"preset": "published", "select_by": "kappa"}
    for network, chosen in (
        ({}, ("validation", "kappa")),
        ({"preset": "none"}, ("validation", "kappa")),
        ({"preset": "published"}, ("training", "quadratic_kappa")),
        (own, ("training", "kappa")),
    ):
        complete = validated({**minimal, "fgunet": network})["fgunet"]
        assert (complete["select_on"], complete["select_by"]) == chosen
    assert own == {"preset": "published", "select_by": "kappa"}, "the given value is not changed"
    with pytest.raises(ConfigError, match="'publication' is not one of"):
        validated({**minimal, "fgunet": {"preset": "publication"}})


def test_the_preset_of_the_forest_is_the_studys(shipped: dict[str, Any]) -> None:
    minimal = {k: shipped[k] for k in read_schema()["required"]}
    keys = "trees", "depth", "levels", "sampling", "samples_per_class"
    for forest, expected in (
        ({}, (100, 25, 256, "class_cap", 10000)),
        ({"preset": "published"}, (100, 20, None, "class_cap", 1000)),
        ({"preset": "published", "depth": 25}, (100, 25, None, "class_cap", 1000)),
    ):
        complete = validated({**minimal, "forest": forest})["forest"]
        assert tuple(complete[key] for key in keys) == expected


def test_all_unknown_keys_are_named_at_once(shipped: dict[str, Any]) -> None:
    wrong = copy.deepcopy(shipped)
    wrong["tile"] = ["T31TCJ"]
    wrong["series"]["n_date"] = 33
    wrong["reference"]["sources"][0]["fields"] = "x"
    with pytest.raises(ConfigError) as error:
        validated(wrong)
    message = str(error.value)
    assert "3 errors" in message
    assert "(top level): unknown key 'tile'" in message
    assert "series: unknown key 'n_date'; known are dates, first_date" in message
    assert "reference.sources[0]: unknown key 'fields'" in message


def test_dates_must_fill_their_groups(shipped: dict[str, Any]) -> None:
    shipped["series"]["n_dates"] = 32
    with pytest.raises(ConfigError, match=r"32 dates cannot be cut into groups of .* = 3"):
        validated(shipped)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dates": ["20160105"]}, "found first_date, n_dates, step_days, dates"),
        ({"first_date": None}, "found n_dates, step_days"),
        ({"first_date": None, "n_dates": None, "step_days": None}, "found none of them"),
        ({"dates": ["20160105"], "n_dates": None, "step_days": None}, "found first_date, dates"),
    ],
)
def test_dates_are_given_one_way(shipped: dict[str, Any], changes, message) -> None:
    shipped["series"] |= changes
    with pytest.raises(ConfigError, match=f"either first_date.*{message}"):
        validated(shipped)


def test_listed_dates_rise_and_stand_once(shipped: dict[str, Any]) -> None:
    listed = {"first_date": None, "n_dates": None, "step_days": None}
    shipped["series"] |= listed | {"dates": ["20160105", "20160301", "20160601"]}
    assert count_dates(validated(shipped)["series"]) == 3
    shipped["series"]["dates"] = ["20160301", "20160105", "20160601"]
    with pytest.raises(ConfigError, match="must rise, found 20160301, 20160105"):
        validated(shipped)
    shipped["series"]["dates"] = ["20160105", "20160105", "20160601"]
    with pytest.raises(ConfigError, match="non-unique"):
        validated(shipped)


def test_forest_alone_does_not_care_for_groups(shipped: dict[str, Any]) -> None:
    shipped["series"]["n_dates"] = 32
    shipped["mapping"]["methods"] = ["forest"]
    assert validated(shipped)["series"]["n_dates"] == 32


def test_source_needs_a_field_or_a_code(shipped: dict[str, Any]) -> None:
    shipped["reference"]["sources"][0]["code"] = 44
    with pytest.raises(ConfigError, match=r"sources\[0\]: give one of field, expression"):
        validated(shipped)


def test_source_names_are_unique(shipped: dict[str, Any]) -> None:
    shipped["reference"]["sources"][1]["name"] = shipped["reference"]["sources"][0]["name"]
    with pytest.raises(ConfigError, match="stands 2 times"):
        validated(shipped)
