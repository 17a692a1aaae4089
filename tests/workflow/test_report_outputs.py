"""What Snakemake's own report shows of a run: every figure and table, with words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

CATEGORIES = {"Accuracy", "Comparison", "Learning", "Data", "Maps", "Reference", "Report"}


def reported(root: Path, folder: Path, config: dict[str, Any]) -> list[dict[str, Any]]:
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False))
    script = Path(__file__).with_name("reported_outputs.py")
    done = subprocess.run(
        [sys.executable, str(script), str(root / "Snakefile"), str(path)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def outputs(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Those of the shipped configuration with everything switched on that has a figure or table."""
    config = yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))
    config["comparison"]["learning_curve"] = [0.5]
    config["accuracy"]["block_run"] = "elsewhere"
    return reported(root, tmp_path_factory.mktemp("all"), config)


def test_each_has_a_caption_a_category_and_labels(outputs: list[dict[str, Any]]) -> None:
    for output in outputs:
        assert output["category"] in CATEGORIES, output
        assert output["subcategory"], output
        assert output["labels"], output
        assert all(output["labels"].values()), output
        assert Path(output["caption"]).read_text().strip(), output


def test_a_subcategory_has_one_kind_of_label(outputs: list[dict[str, Any]]) -> None:
    """Else Snakemake shows columns that are empty for half of their rows."""
    kinds: dict[tuple[str, str], set[tuple[str, ...]]] = {}
    for output in outputs:
        place = output["category"], output["subcategory"]
        kinds.setdefault(place, set()).add(tuple(output["labels"]))
    assert all(len(labels) == 1 for labels in kinds.values()), kinds


def test_labels_tell_outputs_apart(outputs: list[dict[str, Any]]) -> None:
    names = [(o["category"], o["subcategory"], *o["labels"].values()) for o in outputs]
    assert len(names) == len(set(names))


def test_tables_are_shown_as_pages(outputs: list[dict[str, Any]]) -> None:
    assert not [output for output in outputs if output["path"].endswith(".csv")]
    shown = {Path(o["path"]).stem for o in outputs if o["path"].startswith("results/tables/")}
    assert {"summary", "classes", "study_methods", "study_kappa", "study_f_scores"} <= shown
    assert {"provenance", "rules", "left_out", "learning_curve"} <= shown


def test_no_caption_is_an_orphan(root: Path, outputs: list[dict[str, Any]]) -> None:
    used = {Path(output["caption"]).name for output in outputs}
    there = {path.name for path in (root / "rules" / "captions").glob("*.rst")}
    assert there - used == {"workflow.rst"}


def test_captions_of_tables_are_the_same_for_every_job(outputs: list[dict[str, Any]]) -> None:
    """Their pages show them too, and know no wildcards."""
    captions = {o["caption"] for o in outputs if o["path"].endswith(".html")}
    assert not [path for path in captions if "{{" in Path(path).read_text()]


def test_a_run_of_one_method_reports_what_it_has(root: Path, tmp_path: Path) -> None:
    config = yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8"))
    config["mapping"]["methods"] = ["forest"]
    del config["simulation"]
    shown = {Path(output["path"]).stem for output in reported(root, tmp_path, config)}
    assert {"confusion_forest", "overlap_forest", "study_methods"} <= shown
    assert not {"confusion_fgunet", "labels", "regularisation", "truth"} & shown
