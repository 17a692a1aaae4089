"""A series that is being made: what a killed job leaves, and how the next one goes on with it."""

import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fgunet.files import alone_in, read_json, write_failures_told, write_json
from fgunet.series.layout import Layout, write_empty
from fgunet.series.seal import seal

_log = logging.getLogger(__name__)


class Unfinished:
    """A series under way, in a folder beside its place: ".<name>.unfinished".

    The folder holds ``series.zarr``, ``made_of.json`` (what it is made of) and ``done`` (a line a
    shard that is finished). It is made by `under_way`.
    """

    def __init__(self, folder: Path) -> None:
        self.store = folder / "series.zarr"
        self._made_of, self._done = folder / "made_of.json", folder / "done"

    def prepare(self, layout: Layout, made_of: dict[str, Any]) -> None:
        """Go on with what lies here if it is of the same making; else begin anew."""
        made_of = json.loads(json.dumps({"layout": asdict(layout), **made_of}))
        # A process killed at its very end has moved the store to its place.
        whole = self._made_of.exists() and self.store.is_dir()
        if whole and read_json(self._made_of) == made_of:
            _log.info("going on with %s: %d shards are done", self.store, len(self.done()))
            return
        # The last file written is the first removed: without it, nothing here counts.
        self._made_of.unlink(missing_ok=True)
        self._done.unlink(missing_ok=True)
        shutil.rmtree(self.store, ignore_errors=True)
        write_empty(self.store, layout)
        write_json(self._made_of, made_of)

    def done(self) -> set[tuple[int, int]]:
        """Row and column of each shard that is finished."""
        if not self._done.exists():
            return set()
        # A line that was cut short has no end and does not count.
        lines = self._done.read_text(encoding="ascii").split("\n")[:-1]
        return {(int(row), int(col)) for row, col in (line.split() for line in lines)}

    def finish(self, row: int, col: int) -> None:
        """Note that all files of a shard are written."""
        with self._done.open("a", encoding="ascii") as file:
            file.write(f"{row} {col}\n")


@contextmanager
def under_way(
    target: str | os.PathLike[str], layout: Layout, made_of: dict[str, Any]
) -> Iterator[Unfinished]:
    """Work on a series until it is whole, then put it in its place.

    If the body raises or the process is killed, `target` does not appear, and what was done is
    kept for the next time, if that is of the same making. Of several processes one works at a
    time.

    Parameters
    ----------
    target : path
        The series, replaced if it exists.
    layout : Layout
        What it holds.
    made_of : dict
        Everything else that its pixels depend on, as JSON can hold it.

    Raises
    ------
    WriteError
        If the disk is full, or may not be written to; what is done is kept.
    """
    target = Path(target)
    folder = target.with_name(f".{target.stem}.unfinished")
    with alone_in(folder), write_failures_told(target):
        unfinished = Unfinished(folder)
        unfinished.prepare(layout, made_of)
        yield unfinished
        seal(unfinished.store)
        if target.is_dir():
            before = folder / "before.zarr"
            shutil.rmtree(before, ignore_errors=True)
            target.replace(before)
        unfinished.store.replace(target)
        shutil.rmtree(folder)
