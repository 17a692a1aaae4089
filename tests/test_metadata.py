"""What a training tells beside its model."""

import json
from pathlib import Path
from typing import Any

import pytest

from fgunet.errors import ModelError
from fgunet.metadata import read_metadata

TOLD = {"dates": ["20160105"], "bands": ["B02"], "codes": [11, 31], "low": [0.5]}


def test_metadata_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps(TOLD))
    assert read_metadata(tmp_path / "metadata.json") == TOLD


@pytest.mark.parametrize(
    ("key", "value"),
    [("dates", None), ("dates", "20160105"), ("bands", [2]), ("codes", ["11"]), ("codes", [True])],
)
def test_lists_that_are_none_are_named(tmp_path: Path, key: str, value: Any) -> None:
    (tmp_path / "metadata.json").write_text(json.dumps(TOLD | {key: value}))
    with pytest.raises(ModelError, match=rf"metadata\.json lists no {key}; train"):
        read_metadata(tmp_path / "metadata.json")


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "metadata.json").write_bytes(content)
    for path in (tmp_path / "metadata.json", tmp_path, tmp_path / "none.json"):
        with pytest.raises(ModelError, match="cannot be read as a model's metadata"):
            read_metadata(path)
