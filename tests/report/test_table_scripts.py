"""The scripts that write the tables of a run, their pages, and what it was made with."""

import hashlib

import numpy as np
import pandas as pd
import pytest

from fgunet.files import write_json
from fgunet.grid import Grid

TILES = ("T30TWT", "T31TDJ")
GRID = Grid("EPSG:32631", (10.0, 0.0, 600000.0, 0.0, -10.0, 4900000.0), 96, 96)
TABLES = (
    "study_methods", "study_kappa", "study_f_scores", "models", "truth", "acquisitions",
    "products", "gaps", "reference_classes", "sources", "sources_left_out", "steps",
    "contradictions", "leakage", "left_out",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(run, tmp_path_factory):
    """The documents of a run of two tiles, and its tables of accuracy."""
    top, inputs = tmp_path_factory.mktemp("run"), run.inputs
    for tile in TILES:
        listing = next(one for one in inputs.acquisitions if one["tile"] == tile)
        write_json(top / f"{tile}_acquisitions.json", listing)
        facts = next(one for one in inputs.facts if one["tile"] == tile)
        write_json(top / f"{tile}_facts.json", {**facts, "grid": GRID.to_dict()})
    for method in run.world.methods:
        write_json(top / f"{method}_metadata.json", inputs.metadata[method])
    for number, document in enumerate(inputs.truth):
        write_json(top / f"truth_{number}.json", document)
    write_json(top / "audit.json", inputs.audit)
    write_json(top / "comparison.json", {"polygons": 300, "left_out": 2})
    for name in ("summary", "classes", "learning_time"):
        getattr(inputs, name).to_csv(top / f"{name}.csv", index=False)
    return top


@pytest.fixture(scope="module")
def written(run, folder, script, root):
    script("tables")(
        tiles=TILES,
        nomenclature=str(root / "tables" / "oso17.yaml"),
        paths_to_acquisitions=[str(folder / f"{tile}_acquisitions.json") for tile in TILES],
        paths_to_facts=[str(folder / f"{tile}_facts.json") for tile in TILES],
        path_to_audit=str(folder / "audit.json"),
        paths_to_metadata={m: str(folder / f"{m}_metadata.json") for m in run.world.methods},
        path_to_summary=str(folder / "summary.csv"),
        path_to_classes=str(folder / "classes.csv"),
        path_to_comparison=str(folder / "comparison.json"),
        path_to_learning_time=str(folder / "learning_time.csv"),
        path_to_labels=None,
        paths_to_truth=sorted(str(path) for path in folder.glob("truth_*.json")),
        paths_to_tables={name: str(folder / "tables" / f"{name}.csv") for name in TABLES},
    )
    return folder / "tables"


def test_every_table_is_a_file_with_rows_and_nothing_else_is_left(written):
    assert {path.name for path in written.iterdir()} >= {f"{name}.csv" for name in TABLES}
    assert not list(written.glob(".*"))
    assert all(len(pd.read_csv(written / f"{name}.csv")) for name in TABLES)


def test_numbers_in_files_are_those_that_they_came_from(written, run):
    gaps = pd.read_csv(written / "gaps.csv").set_index("tile")
    for fact in run.inputs.facts:
        if fact["tile"] in TILES:
            told = fact["gaps"]["never_clear_share"]
            assert gaps.loc[fact["tile"], "never_clear_share"] == told


def test_what_was_left_out_holds_together_with_the_other_tables(written):
    left_out = pd.read_csv(written / "left_out.csv")
    products = pd.read_csv(written / "products.csv")
    told = left_out[left_out["what"] == "products"]
    assert told["left_out"].sum() == (~products["used"]).sum()
    assert set(told["of"]) == {len(products)}
    never = left_out[left_out["what"] == "pixels of the tiles"].iloc[0]
    assert (never["left_out"], never["of"]) == (2 * 6 * 9, 2 * 96 * 96)


def test_each_table_is_also_a_page(written, script, root):
    captions = root / "rules" / "captions"
    script("table_pages")(
        titles=["kappa by tile", "every product"],
        paths_to_tables=[str(written / f"{name}.csv") for name in ("study_kappa", "products")],
        captions=[(captions / f"{name}.rst").read_text() for name in ("study_kappa", "products")],
        paths_to_pages=[str(written / f"{name}.html") for name in ("study_kappa", "products")],
    )
    kappa = (written / "study_kappa.html").read_text(encoding="utf-8")
    assert "<h1>kappa by tile</h1>" in kappa
    assert "<code>_lower</code>" in kappa
    products = pd.read_csv(written / "products.csv")
    assert (written / "products.html").read_text(encoding="utf-8").count("<tr>") == 1 + len(
        products
    )


def test_provenance_holds_the_hashes_of_what_lies_there(
    folder, script, root, write_series, tmp_path
):
    write_series(
        tmp_path / "T30TWT.zarr", np.ones((1, 1, *GRID.shape), np.uint16), tile="T30TWT", grid=GRID,
        dates=("20160105",), bands=("B02",),
    )  # fmt: skip
    for name in ("model.keras", "polygons.gpkg"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "benchmarks").mkdir()
    for rule in ("train_forest", "gone"):
        row = "33.5\t0:00:33\t530.0\t1\t1\t1\t1\t1\t1\t24.25"
        text = f"s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\ti\to\tl\tcpu_time\n{row}\n"
        (tmp_path / "benchmarks" / f"{rule}.tsv").write_text(text, encoding="utf-8")
    script("provenance")(
        configuration={"seed": 1},
        rules=["stack_series", "train_forest"],
        nomenclature=str(root / "tables" / "oso17.yaml"),
        paths_to_models={"fgunet": str(tmp_path / "model.keras")},
        paths_to_metadata={"fgunet": str(folder / "fgunet_metadata.json")},
        paths_to_series={"T30TWT": str(tmp_path / "T30TWT.zarr")},
        path_to_polygons=str(tmp_path / "polygons.gpkg"),
        path_to_benchmarks=str(tmp_path / "benchmarks"),
        path_to_made_with=str(tmp_path / "provenance.csv"),
        path_to_costs=str(tmp_path / "rules.csv"),
    )
    table = pd.read_csv(tmp_path / "provenance.csv", dtype=str, keep_default_na=False)
    told = table.set_index(["kind", "name"])["value"]
    description = (tmp_path / "T30TWT.zarr" / "zarr.json").read_bytes()
    assert told["series", "T30TWT"] == hashlib.sha256(description).hexdigest()
    assert told["model", "fgunet"] == hashlib.sha256(b"model.keras").hexdigest()
    assert told["reference", "polygons.gpkg"] == hashlib.sha256(b"polygons.gpkg").hexdigest()
    assert told["jobs left out", "because their rule is not in this workflow"] == "1"
    costs = pd.read_csv(tmp_path / "rules.csv")
    assert costs.to_dict("records") == [
        {
            "rule": "train_forest", "jobs": 1, "wall_median_s": 33.5, "wall_total_s": 33.5,
            "memory_peak_mib": 530.0, "cpu_total_s": 24.25, "jobs_not_measured": 0,
        }
    ]  # fmt: skip
