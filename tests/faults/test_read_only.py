"""A results folder that becomes read-only."""

from collections.abc import Callable

import pytest

from tests.faults.chain import Chain
from tests.faults.disks import closed_to_writing
from tests.faults.results import difference, results_of

pytestmark = pytest.mark.faults

# Independent of one another, of different writers. All that their rules make: what is there,
# Snakemake itself says is write-protected.
MISSING = {
    "training_statistics": "results/statistics/T30TWT.npz",
    "labels_seen_forest": "results/comparison/seen/forest.parquet",
    "draw_sample": "results/sample/points.gpkg",
    "clear_count": "results/maps/clear_count/T31TGK.tif",
}


def test_a_read_only_results_folder_is_told_and_changes_no_result(
    copied: Chain, expected: dict[str, str], tried: Callable
) -> None:
    copied.remove(*MISSING.values())
    with closed_to_writing(copied.folder / "results"):
        refused = copied.run("--keep-going", *MISSING.values())
    assert refused.status != 0
    assert "Read-only file system" in refused.said
    assert "Traceback" not in refused.said
    copied.finish("--keep-going", *MISSING.values())
    tried("results folder turned read-only", f"{len(MISSING)} rules")
    assert not difference(results_of(copied.folder), expected)
