import hashlib
import math

import pandas as pd
import pytest

from fgunet.report.job_costs import read_jobs, rule_costs
from fgunet.report.provenance import (
    configuration_sha256,
    provenance_section,
    provenance_table,
)

HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"


TILES = ["T31TDJ", "T31TEL", "T32ULU"]


@pytest.fixture
def folder(tmp_path):
    """Benchmark files as Snakemake writes them; two that it did not write."""
    jobs = {
        "train.tsv": "206.5\t0:03:26\t2119.25\t6624\t1221\t1597\t61.4\t20.3\t48.8\t336.25",
        "classify/T31TDJ.tsv": "8.0\t0:00:08\t863.5\t1125\t198\t268\t0.05\t30.1\t55.4\t6.0",
        "classify/T31TEL.tsv": "10.0\t0:00:10\t700.0\t1125\t198\t268\t0.05\t30.1\t55.4\t7.5",
        "classify/deeper/T32ULU.tsv": "102.0\t0:01:42\tNA\tNA\tNA\tNA\tNA\tNA\tNA\tNA",
        "forgotten.tsv": "5.0\t0:00:05\t-\t-\t-\t-\t-\t-\t-\t-",
    }
    for name, row in jobs.items():
        path = tmp_path / "benchmarks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    (tmp_path / "benchmarks" / "cut.tsv").write_text(f"{HEADER}\n3.0\t0:0", encoding="utf-8")
    (tmp_path / "benchmarks" / "binary.tsv").write_bytes(b"\xff\xfe\x00s")
    (tmp_path / "benchmarks" / "empty.tsv").write_text("", encoding="utf-8")
    return tmp_path / "benchmarks"


def test_jobs_are_read_by_rule_and_what_is_no_benchmark_is_told(folder):
    jobs = read_jobs(folder, TILES)
    assert jobs.table["rule"].value_counts().to_dict() == {
        "classify": 3, "train": 1, "forgotten": 1,
    }  # fmt: skip
    assert [path.rsplit("/", 1)[1] for path in jobs.unreadable] == [
        "binary.tsv", "cut.tsv", "empty.tsv",
    ]  # fmt: skip


def test_jobs_of_a_tile_that_was_taken_away_do_not_count(folder):
    (folder / "classify" / "T31TEL.tsv").rename(folder / "classify" / "0.5_T31TEL.tsv")
    jobs = read_jobs(folder, ["T31TDJ"])
    assert jobs.table["rule"].value_counts().to_dict() == {
        "classify": 1, "train": 1, "forgotten": 1,
    }  # fmt: skip
    assert len(jobs.unreadable) == 3


def test_a_run_without_benchmarks_has_no_jobs(tmp_path):
    jobs = read_jobs(tmp_path / "missing", TILES)
    assert jobs.table.empty
    costs = rule_costs(jobs.table, ["train"])
    assert costs.empty
    section = provenance_section(made_with({}, {}), costs)
    assert section["statement"] == "No job left a measurement."
    assert section["rows"] == []


def test_a_job_that_was_seen_at_its_start_alone_is_not_measured(tmp_path):
    row = "0.38\t0:00:00\t8.08\t1\t1\t1\t0\t0\t0.0\t0.0"
    (tmp_path / "stac.tsv").write_text(f"{HEADER}\n{row}\n", encoding="utf-8")
    costs = rule_costs(read_jobs(tmp_path, TILES).table, ["stac"])
    assert costs["jobs_not_measured"].tolist() == [1]
    (told,) = provenance_section(made_with({}, {}), costs)["rows"]
    assert (told["median"], told["cpu"], told["memory"]) == ("< 1 s", "–", "–")


def test_costs_of_rules_in_the_order_of_the_work(folder):
    costs = rule_costs(read_jobs(folder, TILES).table, ["nothing", "train", "classify", "train"])
    assert costs["rule"].tolist() == ["train", "classify"]
    classify = costs.set_index("rule").loc["classify"]
    assert classify["jobs"] == 3
    assert classify["wall_median_s"] == 10.0
    assert classify["wall_total_s"] == 120.0
    assert classify["memory_peak_mib"] == 863.5
    assert classify["cpu_total_s"] == 13.5
    assert classify["jobs_not_measured"] == 1


def test_what_snakemake_did_not_measure_is_undefined_and_not_nothing(folder):
    (costs,) = rule_costs(read_jobs(folder, TILES).table, ["forgotten"]).to_dict("records")
    assert math.isnan(costs["memory_peak_mib"])
    assert math.isnan(costs["cpu_total_s"])
    assert costs["wall_total_s"] == 5.0


def made_with(files, left_out):
    return provenance_table(
        versions={"zarr": "3", "numpy": "2"},
        configuration="c0ffee",
        files=files,
        jobs_left_out=left_out,
    )


def test_a_run_tells_what_it_was_made_with():
    files = {
        ("nomenclature", "two.yaml"): "aa",
        ("model", "forest"): "bb",
        ("series", "T31TDJ"): "cc",
        ("series", "T31TEL"): "dd",
    }
    table = made_with(files, {"because they cannot be read": 3, "because of their rule": 0})
    software = table[table["kind"] == "software"].set_index("name")["value"]
    assert {"numpy", "python", "zarr"} == set(software.index)
    section = provenance_section(table, rule_costs(read_jobs("missing", []).table, []))
    assert section["software"].startswith("numpy 2 · ")
    assert [(row["name"], row["sha256"]) for row in section["hashes"]] == [
        ("", "c0ffee"), ("two.yaml", "aa"), ("forest", "bb"),
    ]  # fmt: skip
    assert section["series"].startswith("The 2 series are in ")
    assert "Benchmark files left out because they cannot be read: 3." in section["notes"]
    assert not any("because of their rule" in note for note in section["notes"])


def test_the_page_sums_up_what_the_files_tell(folder, tmp_path):
    costs = rule_costs(read_jobs(folder, TILES).table, ["train", "classify", "forgotten"])
    costs.to_csv(tmp_path / "rules.csv", index=False)
    made_with({}, {}).to_csv(tmp_path / "provenance.csv", index=False)
    section = provenance_section(
        pd.read_csv(tmp_path / "provenance.csv", dtype=str, keep_default_na=False),
        pd.read_csv(tmp_path / "rules.csv"),
    )
    assert section["statement"] == (
        "5 jobs of 3 rules took 5.5 min one after another, and 5.8 min of processor time; "
        "train took the most memory, 2.1 GiB."
    )
    assert section["rows"][1] == {
        "rule": "classify", "jobs": "3", "median": "10 s", "total": "2.0 min",
        "memory": "864 MiB", "cpu": "14 s",
    }  # fmt: skip
    assert section["rows"][2]["memory"] == section["rows"][2]["cpu"] == "–"
    assert any(note.startswith("2 jobs were over") for note in section["notes"])


def test_the_hash_of_a_configuration_is_that_of_its_values():
    first = {"seed": 1, "tiles": ["a", "b"]}
    again = {"tiles": ["a", "b"], "seed": 1}
    assert configuration_sha256(first) == configuration_sha256(again)
    text = '{"seed":1,"tiles":["a","b"]}'
    assert configuration_sha256(first) == hashlib.sha256(text.encode()).hexdigest()
    assert configuration_sha256({**first, "seed": 2}) != configuration_sha256(first)
