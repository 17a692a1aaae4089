"""What a run was made with, and what each of its rules took."""

import hashlib
import json
import platform
from collections.abc import Mapping
from typing import Any

import pandas as pd

from fgunet.report.wording import UNDEFINED, decimals, duration, is_defined, whole

_MIB_IN_GIB = 1024
_KINDS = {
    "configuration": "configuration, with its defaults",
    "nomenclature": "nomenclature",
    "reference": "reference polygons",
    "model": "model",
}


def configuration_sha256(configuration: Mapping[str, Any]) -> str:
    """SHA-256 of a validated configuration, hexadecimal: of its JSON with sorted keys."""
    text = json.dumps(configuration, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def provenance_table(
    *,
    versions: Mapping[str, str],
    configuration: str,
    files: Mapping[tuple[str, str], str],
    jobs_left_out: Mapping[str, int],
) -> pd.DataFrame:
    """What a run was made with.

    Parameters
    ----------
    versions : mapping of str to str
        Software and its versions.
    configuration : str
        SHA-256 of the configuration.
    files : mapping of (str, str) to str
        SHA-256 of files, by kind ("nomenclature", "reference", "model", "series") and name.
    jobs_left_out : mapping of str to int
        Benchmark files that are in no figure, by reason.

    Returns
    -------
    pandas.DataFrame
        kind, name, value : str. Kind "software" has versions, "jobs left out" counts, each other
        a SHA-256.
    """
    rows = [
        *(("software", name, version) for name, version in sorted(versions.items())),
        ("software", "python", platform.python_version()),
        ("configuration", "", configuration),
        *((kind, name, value) for (kind, name), value in files.items()),
        *(("jobs left out", reason, str(count)) for reason, count in jobs_left_out.items()),
    ]
    table = pd.DataFrame(rows, columns=["kind", "name", "value"])
    return table.drop_duplicates(["kind", "name"], ignore_index=True)


def provenance_section(made_with: pd.DataFrame, costs: pd.DataFrame) -> dict[str, Any]:
    """What the page says of it.

    Parameters
    ----------
    made_with : pandas.DataFrame
        As `provenance_table` makes it: all columns str, "" for no name; may be empty.
    costs : pandas.DataFrame
        As `fgunet.report.job_costs.rule_costs` makes it.

    Returns
    -------
    dict
        Empty without `made_with`. Else software : str; hashes : list of dict (what, name,
        sha256); series : str, a sentence on the series; statement : str, what all jobs took;
        rows : list of dict of str (rule, jobs, median, total, memory, cpu); notes : list of str.
    """
    if made_with.empty:
        return {}
    software, jobs = (_of_kind(made_with, kind) for kind in ("software", "jobs left out"))
    series = _of_kind(made_with, "series")
    return {
        "software": " · ".join(f"{name} {version}" for name, version in software.items()),
        "hashes": [
            {"what": what, "name": name, "sha256": value}
            for kind, what in _KINDS.items()
            for name, value in _of_kind(made_with, kind).items()
        ],
        "series": _series_note(len(series)),
        "statement": _statement(costs),
        "rows": [_row(row) for row in costs.to_dict("records")],
        "notes": _notes(costs, jobs),
    }


def _of_kind(made_with: pd.DataFrame, kind: str) -> dict[str, str]:
    own = made_with[made_with["kind"] == kind]
    return dict(zip(own["name"], own["value"], strict=True))


def _series_note(count: int) -> str:
    if not count:
        return ""
    what = "The series of the tile is" if count == 1 else f"The {whole(count)} series are"
    return (
        f"{what} in results/tables/provenance.csv, each with the hash of its description "
        "(zarr.json)."
    )


def _statement(costs: pd.DataFrame) -> str:
    if costs.empty:
        return "No job left a measurement."
    wall, cpu = costs["wall_total_s"].sum(), costs["cpu_total_s"].sum()
    text = (
        f"{whole(costs['jobs'].sum())} jobs of {whole(len(costs))} rules took {duration(wall)} "
        f"one after another, and {duration(cpu)} of processor time"
    )
    if costs["memory_peak_mib"].notna().any():
        most = costs.loc[costs["memory_peak_mib"].idxmax()]
        text += f"; {most['rule']} took the most memory, {_memory(most['memory_peak_mib'])}"
    return f"{text}."


def _row(row: Mapping[Any, Any]) -> dict[str, str]:
    return {
        "rule": row["rule"],
        "jobs": whole(row["jobs"]),
        "median": _time(row["wall_median_s"]),
        "total": _time(row["wall_total_s"]),
        "memory": _memory(row["memory_peak_mib"]),
        "cpu": _time(row["cpu_total_s"]),
    }


def _time(seconds: Any) -> str:
    """A time span; what is not quite nothing does not read 0."""
    return "< 1 s" if is_defined(seconds) and 0 < seconds < 0.5 else duration(seconds)


def _memory(mebibytes: Any) -> str:
    if not is_defined(mebibytes):
        return UNDEFINED
    if mebibytes < _MIB_IN_GIB:
        return f"{whole(mebibytes)} MiB"
    return f"{decimals(mebibytes / _MIB_IN_GIB, 1)} GiB"


def _notes(costs: pd.DataFrame, left_out: Mapping[str, str]) -> list[str]:
    notes = [
        "Measured by Snakemake, which looks at a job from time to time: the memory and processor "
        "time of jobs of a second or two are too low. Jobs that ran side by side count in full, so "
        "the run itself took less time. Of a job that ran more than once, the last run counts. "
        "Rules that run after this table is made, this page among them, are not in it."
    ]
    if lacking := int(costs["jobs_not_measured"].sum()):
        jobs = "1 job was" if lacking == 1 else f"{whole(lacking)} jobs were"
        notes.append(f"{jobs} over before a second look and have no memory and processor time.")
    notes += [
        f"Benchmark files left out {reason}: {count}."
        for reason, count in left_out.items()
        if int(count)
    ]
    return notes
