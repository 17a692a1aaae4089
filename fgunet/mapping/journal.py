"""The windows of a map that are done: what a killed job leaves, and how the next one goes on."""

import io
import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from fgunet.files import alone_in, atomic_path, read_json, write_json
from fgunet.grid import Window
from fgunet.mapping.decision import Decided
from fgunet.whole import failures_told

_log = logging.getLogger(__name__)


class Journal:
    """Decided windows of a map under way, a file each, in a folder beside its place.

    The folder also holds ``made_of.json``: what the windows depend on, and the side of their
    cores. It is made by `journal_beside`.

    Attributes
    ----------
    core : int
        Side of the cores, in pixels.
    """

    def __init__(self, folder: Path, made_of: Mapping[str, Any], core: int) -> None:
        self._folder = folder
        self.core = self._begun_core(made_of, core) or self._begin(made_of, core)

    def _begun_core(self, made_of: Mapping[str, Any], core: int) -> int | None:
        """Cores of the windows that lie here, if they are of the same making and not larger."""
        path = self._folder / "made_of.json"
        if not path.exists():
            return None
        begun = read_json(path)
        if begun["made_of"] != json.loads(json.dumps(made_of)) or begun["core"] > core:
            _log.info("the windows in %s are of another making; they are made anew", self._folder)
            return None
        done = len(list(self._folder.glob("[0-9]*.npz")))
        _log.info("going on with %s: %d windows are done", self._folder, done)
        return int(begun["core"])

    def _begin(self, made_of: Mapping[str, Any], core: int) -> int:
        # The last file written is the first removed: without it, nothing here counts.
        (self._folder / "made_of.json").unlink(missing_ok=True)
        for path in self._folder.glob("*.npz"):
            path.unlink()
        write_json(self._folder / "made_of.json", {"made_of": made_of, "core": core})
        return core

    def has(self, window: Window) -> bool:
        """Whether a window is done."""
        return self._path(window).exists()

    def put(self, window: Window, decided: Decided) -> None:
        """Keep a decided window.

        Raises
        ------
        MapError
            If it cannot be written, as on a full disk; the windows that are done are kept.
        """
        arrays = {name: value for name, value in asdict(decided).items() if value is not None}
        packed = io.BytesIO()
        np.savez(packed, **arrays)
        content, path = packed.getbuffer(), self._path(window)
        with failures_told(path, content.nbytes), atomic_path(path) as part:
            part.write_bytes(content)

    def get(self, window: Window) -> Decided:
        """A window that is done."""
        with np.load(self._path(window)) as arrays:
            held = {name: arrays[name] for name in arrays.files}
        return Decided(
            codes=held["codes"],
            confidence=held["confidence"],
            margin=held.get("margin"),
            probabilities=held.get("probabilities"),
            ties=int(held["ties"]),
        )

    def _path(self, window: Window) -> Path:
        return self._folder / f"{window.row}_{window.col}.npz"


@contextmanager
def journal_beside(
    target: str | os.PathLike[str], made_of: Mapping[str, Any], *, core: int
) -> Iterator[Journal]:
    """Work on a map until it is whole.

    If the body raises or the process is killed, the windows that are done are kept for the next
    time, if that is of the same making and may use cores as large. Of several processes one works
    at a time.

    Parameters
    ----------
    target : path
        The map; the folder beside it is called ".<stem>.unfinished".
    made_of : dict
        Everything that the windows depend on, as JSON can hold it.
    core : int
        Side of the largest cores that memory allows, in pixels.
    """
    target = Path(target)
    folder = target.with_name(f".{target.stem}.unfinished")
    with alone_in(folder):
        yield Journal(folder, made_of, core)
        shutil.rmtree(folder)
