"""Validation of the configuration of a run."""

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pyproj
import yaml
from pyproj.exceptions import CRSError

from fgunet.errors import ConfigError
from fgunet.texts import RepeatedKeyError, control_characters, read_yaml

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "fgunet": {"none": {}, "published": {"select_on": "training", "select_by": "quadratic_kappa"}},
    "forest": {
        "none": {},
        "published": {"depth": 20, "levels": None, "samples_per_class": 1000},
    },
}
"""Defaults that the presets of a section set: what the study did otherwise."""

_SQL = ("expression", "where")
# Snakemake would fill in what stands in braces here.
_FILLED_IN = (
    "title",
    "nomenclature",
    "folder",
    "path",
    "translation",
    "block_run",
    "labelled",
    "focus_group",
)
_LARGEST = 10**12
"""No number of a configuration means more; arithmetic with such may fail, or never end."""

# JSON Schema takes 33.0 for an integer. Python does not.
_WHOLE = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
    "integer", lambda _, value: type(value) is int
)
_Validator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator, type_checker=_WHOLE
)


def require_keys_once(path: str | os.PathLike[str]) -> None:
    """Check that no section of a configuration file has a key twice.

    Snakemake, which reads the file, would silently keep the last. What it read from elsewhere than
    a file, or not as YAML, is passed over.

    Raises
    ------
    ConfigError
        Naming the first such key and its line.
    """
    if not Path(path).is_file():
        return
    try:
        read_yaml(path)
    except RepeatedKeyError as error:
        raise ConfigError(f"{path}, {error}; take one of them away") from error
    except (ValueError, yaml.YAMLError):
        return


def read_schema() -> dict[str, Any]:
    """Read the schema of the configuration, as a JSON Schema document."""
    text = (files("fgunet") / "schemas" / "config.yaml").read_text(encoding="utf-8")
    schema: dict[str, Any] = yaml.safe_load(text)
    return schema


def validated(config: Mapping[str, Any]) -> dict[str, Any]:
    """Fill in a configuration's defaults, after checking it against schema and sense.

    Parameters
    ----------
    config : mapping
        The configuration as read from YAML.

    Returns
    -------
    dict
        A deep copy with every key that has a default.

    Raises
    ------
    ConfigError
        Naming every unknown key, wrong value and contradiction at once, each with its path; before
        that, every text with control characters, every path and title with braces, and every
        number that is beyond all bounds.
    """
    schema = read_schema()
    found = _plain(config)
    unusable = [f"{path}: {fault}" for path, fault in _unusable(found)]
    if unusable:
        _refuse(unusable)
    errors = sorted(_Validator(schema).iter_errors(found), key=_path)
    if errors:
        _refuse([f"{_path(error)}: {_explain(error)}" for error in errors])
    complete: dict[str, Any] = _with_defaults(_with_presets(found), schema)
    contradictions = _contradictions(complete)
    if contradictions:
        _refuse(contradictions)
    return complete


def _refuse(problems: list[str]) -> None:
    listed = "\n".join(f"  - {problem}" for problem in problems)
    count = f"{len(problems)} error{'s' if len(problems) > 1 else ''}"
    raise ConfigError(
        f"the configuration has {count}:\n{listed}\n"
        "Correct the configuration file; workflow_config.yaml explains every key."
    )


def _plain(config: Mapping[str, Any]) -> Any:
    """A deep copy, of what JSON can hold."""
    try:
        return json.loads(json.dumps(config))
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"the configuration holds more than texts, numbers, lists and sections ({error}); put "
            "quotes around dates and the like"
        ) from error


def _unusable(value: Any, path: str = "", key: str = "") -> Iterator[tuple[str, str]]:
    """Texts and numbers that cannot be meant, and why."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _unusable(name, f"the key {name!r}")
            yield from _unusable(inner, f"{path}.{name}" if path else name, name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _unusable(inner, f"{path}[{number}]", key)
    elif isinstance(value, str):
        yield from ((path, fault) for fault in _faults_of_text(value, key))
    # Neither is .nan less.
    elif isinstance(value, int | float) and not abs(value) <= _LARGEST:
        yield path, f"{value!r:.30} is not within {_LARGEST:.0e}; write a number that is meant"


def _faults_of_text(text: str, key: str) -> Iterator[str]:
    control = control_characters(text)
    # SQL may be written on several lines.
    if control and not (key in _SQL and set(control) <= set("\n\t")):
        yield f"{text!r} holds a line break or another control character"
    if key in _FILLED_IN and set("{}") & set(text):
        yield f"{text!r} has a brace, which Snakemake takes for a wildcard; rename it"


def _path(error: jsonschema.ValidationError) -> str:
    path = ""
    for part in error.absolute_path:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "(top level)"


def _explain(error: jsonschema.ValidationError) -> str:
    """Say what is wrong, with the keys that would be right where a key is wrong."""
    schema, found = error.schema, error.instance
    if (
        error.validator != "additionalProperties"
        or not isinstance(schema, Mapping)
        or not isinstance(found, dict)
    ):
        return error.message
    known = sorted(schema["properties"])
    unknown = sorted(set(found) - set(known))
    return f"unknown key {', '.join(map(repr, unknown))}; known are {', '.join(known)}"


def _with_presets(config: dict[str, Any]) -> dict[str, Any]:
    filled = dict(config)
    for section, presets in PRESETS.items():
        given = config.get(section, {})
        filled[section] = {**presets[given.get("preset", "none")], **given}
    return filled


def _with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, dict) and "properties" in schema:
        # In the order of the schema: Snakemake compares texts of a run's settings with the last.
        parts = schema["properties"]
        filled = {
            key: _with_defaults(value[key] if key in value else part["default"], part)
            for key, part in parts.items()
            if key in value or "default" in part
        }
        return {**filled, **{key: value[key] for key in value if key not in parts}}
    if isinstance(value, list) and "items" in schema:
        return [_with_defaults(item, schema["items"]) for item in value]
    return value


def _contradictions(config: Mapping[str, Any]) -> list[str]:
    """Say what a schema cannot: keys that disagree with one another."""
    dates = list(_dates(config["series"]))
    if dates:
        return dates
    return [
        *_grouping(config),
        *_systems(config),
        *_sources(config["reference"]["sources"]),
        *_placements(config),
    ]


def _dates(series: Mapping[str, Any]) -> Iterator[str]:
    spaced = [key for key in ("first_date", "n_dates", "step_days") if series[key] is not None]
    listed = series["dates"]
    if (listed is None) == (len(spaced) < 3) or (listed is not None and spaced):
        yield (
            "series: give either first_date, n_dates and step_days, or dates; found "
            f"{', '.join([*spaced, *(['dates'] if listed is not None else [])]) or 'none of them'}"
        )
    elif listed is not None and listed != sorted(listed):
        yield f"series.dates: dates must rise, found {', '.join(listed)}"


def count_dates(series: Mapping[str, Any]) -> int:
    """How many regular dates the section "series" of a valid configuration names."""
    return len(series["dates"]) if series["dates"] is not None else int(series["n_dates"])


def _grouping(config: Mapping[str, Any]) -> Iterator[str]:
    n_dates, group = count_dates(config["series"]), config["fgunet"]["dates_per_group"]
    if "fgunet" in config["mapping"]["methods"] and n_dates % group:
        yield (
            f"series.n_dates: {n_dates} dates cannot be cut into groups of "
            f"fgunet.dates_per_group = {group}; make one a multiple of the other"
        )


def _systems(config: Mapping[str, Any]) -> Iterator[str]:
    """Codes that are no coordinate systems, or one in degrees where ground is measured."""
    for section, key in (("reference", "crs"), ("mapping", "mosaic_crs")):
        crs = config[section][key]
        try:
            units = {axis.unit_name for axis in pyproj.CRS(crs).axis_info}
        except CRSError:
            yield f"{section}.{key}: {crs} is no coordinate system; EPSG:2154 is that of France"
            continue
        if section == "reference" and units != {"metre"}:
            yield (
                f"{section}.{key}: the units of {crs} are {', '.join(sorted(units))}; choose a "
                "projected coordinate system in metres (EPSG:2154 in France)"
            )


def _sources(sources: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    names = Counter(source["name"] for source in sources)
    for name, count in sorted(names.items()):
        if count > 1:
            yield f"reference.sources: the name {name!r} stands {count} times"
    for index, source in enumerate(sources):
        given = [key for key in ("field", "expression", "code") if source[key] is not None]
        if len(given) != 1:
            yield (
                f"reference.sources[{index}]: give one of field, expression and code; "
                f"found {', '.join(given) or 'none of them'}"
            )
    ranked = [source["name"] for source in sources if source["precedence"] is not None]
    if ranked and len(ranked) < len(sources):
        yield (
            f"reference.sources: only {', '.join(ranked)} have a precedence; "
            "give one to each source, or to none and order the list"
        )


def _placements(config: Mapping[str, Any]) -> Iterator[str]:
    if "simulation" in config:
        missing = sorted(set(config["tiles"]) - set(config["simulation"]["tiles"]))
        if missing:
            yield f"simulation.tiles: no placement for {', '.join(missing)}"
