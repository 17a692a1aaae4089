"""What jobs ask for, by size of tile, number of tiles and attempt."""

from pathlib import Path
from typing import Any

# A training goes on where it was stopped: it needs no more time for a further attempt.
TRAINING = {"train_fgunet", "curve_train_fgunet"}


def of_size(config: dict[str, Any], side: int) -> dict[str, Any]:
    config["simulation"]["tile_size"] = side
    return config


def test_a_further_attempt_asks_for_more(asked: Any, shipped_config: dict[str, Any]) -> None:
    first, second = (asked(shipped_config, attempt)["jobs"] for attempt in (1, 2))
    assert first.keys() == second.keys()
    for path, job in first.items():
        assert second[path]["mem_mb"] == 2 * job["mem_mb"], path
        if job["rule"] not in TRAINING:
            assert second[path]["runtime"] == 2 * job["runtime"], path


def test_a_larger_tile_never_asks_for_less(asked: Any, shipped_config: dict[str, Any]) -> None:
    small, medium, full = (
        asked(of_size(shipped_config, side))["jobs"] for side in (256, 1024, 10980)
    )
    assert small.keys() == medium.keys() == full.keys()
    for what in ("mem_mb", "runtime"):
        for path, job in medium.items():
            assert small[path][what] <= job[what] <= full[path][what], path
    for rule in ("stack_series", "fuse_reference", "training_statistics", "classify_fgunet"):
        path = next(path for path, job in full.items() if job["rule"] == rule)
        assert small[path]["mem_mb"] < full[path]["mem_mb"], rule
        assert small[path]["runtime"] < full[path]["runtime"], rule


def test_what_is_done_for_all_tiles_asks_for_more_with_each_tile(
    asked: Any, shipped_config: dict[str, Any]
) -> None:
    eleven = asked(of_size(shipped_config, 10980))["jobs"]
    shipped_config["tiles"] = shipped_config["tiles"][:2]
    two = asked(shipped_config)["jobs"]
    growing = {"fuse_reference", "split_reference", "audit_reference", "scores", "context_tables"}
    compared = {path for path, job in two.items() if job["rule"] in growing}
    assert len(compared) == len(growing)
    for path in compared:
        assert two[path]["mem_mb"] < eleven[path]["mem_mb"], path
        assert two[path]["runtime"] <= eleven[path]["runtime"], path


def test_tiles_of_products_are_as_large_as_those_of_sentinel_2(
    asked: Any, shipped_config: dict[str, Any], tmp_path: Path
) -> None:
    simulated = asked(of_size(shipped_config, 10980))["jobs"]
    del shipped_config["simulation"]
    for tile in shipped_config["tiles"]:
        (tmp_path / f"SENTINEL2A_20160105-105903-000_L2A_{tile}_D_V1-4").mkdir()
    shipped_config["products"]["folder"] = str(tmp_path)
    sources = tmp_path / "sources.gpkg"
    sources.touch()
    for source in shipped_config["reference"]["sources"]:
        source["path"] = str(sources)
    real = asked(shipped_config)["jobs"]
    assert real.keys() < simulated.keys()
    # Only the report and its tables are told less: nothing of a simulated truth.
    assert real == {path: job for path, job in simulated.items() if path in real}


def test_no_script_takes_what_its_snakemake_needs(root: Path) -> None:
    for path in (root / "scripts").glob("*.py"):
        assert "resources.mem_mb" not in path.read_text(encoding="utf-8"), path
