from pathlib import Path

import pytest

from fgunet.files import atomic_path, read_json, write_json


def write_half(target: Path) -> None:
    with atomic_path(target) as part:
        part.write_text("half")
        raise RuntimeError("killed")


def test_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="killed"):
        write_half(target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_success_replaces_and_keeps_the_suffix(tmp_path: Path) -> None:
    target = tmp_path / "deeper" / "map.tif"
    with atomic_path(target) as part:
        assert part.suffix == ".tif"
        assert part.parent == target.parent
        part.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"


def test_directories_are_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "series.zarr"
    for content in ("first", "second"):
        with atomic_path(target) as part:
            part.mkdir()
            (part / content).write_text(content)
    assert [path.name for path in target.iterdir()] == ["second"]


def test_json_refuses_nan(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"kappa": float("nan")})
    assert not list(tmp_path.iterdir())


def test_json_is_stable(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": 1, "a": [None, "é"]})
    write_json(tmp_path / "b.json", {"a": [None, "é"], "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert read_json(tmp_path / "a.json") == {"b": 1, "a": [None, "é"]}
