"""What the jobs of a run took: Snakemake's benchmark files, added up by rule."""

import csv
import math
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

_MEASURED = {"s": "wall_s", "max_rss": "memory_mib", "cpu_time": "cpu_s"}
_UNKNOWN = ("NA", "-", "")
_OF_TILE = re.compile(r"(^|_)(?P<tile>T\d{2}[A-Z]{3})$")


@dataclass(frozen=True)
class Jobs:
    """Jobs that left a benchmark file.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a job, by path: rule : str; wall_s (s), memory_mib (MiB, the most that its
        processes held together) and cpu_s (s, of all its processes) : float64. Snakemake looks at
        a job from time to time. Of short jobs memory and processor time are too low; of those that
        it saw at their start alone (no processor time) they are NaN.
    unreadable : tuple of str
        Files that are no benchmark.
    """

    table: pd.DataFrame
    unreadable: tuple[str, ...]


def read_jobs(folder: str | os.PathLike[str], tiles: Collection[str]) -> Jobs:
    """Read the benchmark files of a run: ``{rule}.tsv`` and ``{rule}/{job}.tsv``.

    Parameters
    ----------
    folder : path
        Where they lie; it may be missing.
    tiles : collection of str
        Tiles of the run. A job of another, which the run once had, does not count.
    """
    rows, unreadable = [], []
    for path in sorted(Path(folder).rglob("*.tsv")):
        of_tile = _OF_TILE.search(path.stem)
        if of_tile and of_tile["tile"] not in tiles:
            continue
        rule = path.relative_to(folder).parts[0].removesuffix(".tsv")
        try:
            rows.append({"rule": rule, **_measured(path)})
        except (OSError, ValueError, KeyError):
            unreadable.append(str(path))
    kinds = {"rule": "object", **dict.fromkeys(_MEASURED.values(), "float64")}
    return Jobs(pd.DataFrame(rows, columns=list(kinds)).astype(kinds), tuple(unreadable))


def _measured(path: Path) -> dict[str, float]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file, delimiter="\t"))
    if len(lines) != 1:
        raise ValueError(f"{path}: {len(lines)} rows, expected the one of a job")
    found = {name: _number(lines[0][column]) for column, name in _MEASURED.items()}
    if not found["cpu_s"]:
        found["cpu_s"] = found["memory_mib"] = math.nan
    return found


def _number(text: str | None) -> float:
    if text is None:
        raise ValueError("a row with fewer fields than its header")
    return math.nan if text in _UNKNOWN else float(text)


def rule_costs(jobs: pd.DataFrame, rules: Sequence[str]) -> pd.DataFrame:
    """What the jobs of each rule took.

    Parameters
    ----------
    jobs : pandas.DataFrame
        As `Jobs.table`.
    rules : sequence of str
        Order of the rows; jobs of other rules are left out.

    Returns
    -------
    pandas.DataFrame
        One row a rule that has jobs.

        - rule : str; jobs : int64
        - wall_median_s, wall_total_s : float64, seconds on the clock of a job, of all jobs (jobs
          that ran side by side count in full)
        - memory_peak_mib : float64, MiB of the job that took most
        - cpu_total_s : float64, processor seconds of all jobs
        - jobs_not_measured : int64, jobs without memory or processor time, which those two lack
    """
    known = jobs[jobs["rule"].isin(rules)]
    lacking = known[["memory_mib", "cpu_s"]].isna().any(axis=1)
    groups = known.assign(lacking=lacking).groupby("rule")
    table = pd.DataFrame(
        {
            "jobs": groups.size(),
            "wall_median_s": groups["wall_s"].median(),
            "wall_total_s": groups["wall_s"].sum(min_count=1),
            "memory_peak_mib": groups["memory_mib"].max(),
            "cpu_total_s": groups["cpu_s"].sum(min_count=1),
            "jobs_not_measured": groups["lacking"].sum(),
        }
    )
    # Snakemake writes hundredths; sums of them are no finer.
    table = table.round(2)
    order = [rule for rule in dict.fromkeys(rules) if rule in table.index]
    table = table.reindex(pd.Index(order, name="rule")).reset_index()
    return table.astype({"jobs": "int64", "jobs_not_measured": "int64"})
