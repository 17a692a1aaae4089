"""What a training leaves: the model, its history and its metadata."""

import json
import os
import re
import zipfile
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import keras

from fgunet import __version__
from fgunet.files import atomic_path, write_json
from fgunet.network import required_halo, required_stride
from fgunet.training.checkpoints import Progress
from fgunet.training.history import write_history
from fgunet.training.loop import Trained
from fgunet.training.plan import TrainingPlan
from fgunet.training.workers import Workers

_PACKAGES = ("tensorflow", "tensorflow-cpu", "keras", "horovod", "numpy")
_TIME = (1980, 1, 1, 0, 0, 0)


def write_deliverables(
    folder: str | os.PathLike[str],
    trained: Trained,
    plan: TrainingPlan,
    *,
    workers: Workers,
    threads: int,
) -> None:
    """Write model.keras, history.csv and metadata.json, each atomically.

    The metadata come last, so a folder that has them is whole. They also tell which workers of how
    many threads trained (at the last start, if there were several).
    """
    folder = Path(folder)
    save_model(trained.model, folder / "model.keras")
    write_history(folder / "history.csv", trained.progress.history)
    setup = {
        "workers": workers.size,
        "threads_per_worker": threads,
        "nodes": workers.nodes,
        "launcher": workers.launcher,
        "connection": workers.connection,
    }
    write_json(folder / "metadata.json", metadata(trained, plan) | setup)


def save_model(model: keras.Model, path: str | os.PathLike[str]) -> None:
    """Save a model; the same weights give the same bytes.

    Keras stamps the archive and its metadata with the time, and names shared objects by their
    address in memory: times are taken out, objects numbered as they come.
    """
    with atomic_path(path) as part:
        model.save(part)
        with zipfile.ZipFile(part) as archive:
            members = {name: archive.read(name) for name in sorted(archive.namelist())}
        stamp = json.loads(members["metadata.json"])
        stamp.pop("date_saved", None)
        members["metadata.json"] = json.dumps(stamp, sort_keys=True).encode()
        members["config.json"] = _numbered(members["config.json"].decode()).encode()
        with zipfile.ZipFile(part, "w") as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, _TIME), content)


def _numbered(config: str) -> str:
    """A model's configuration, its shared objects numbered in the order they come."""
    numbers: dict[str, int] = {}

    def number(match: re.Match[str]) -> str:
        return f"{match[1]}{numbers.setdefault(match[2], len(numbers) + 1)}"

    return re.sub(r'("shared_object_id": )(\d+)', number, config)


def metadata(trained: Trained, plan: TrainingPlan) -> dict[str, Any]:
    """What a user of the model must know to give it the right input, and how it was made.

    Returns
    -------
    dict
        Of values that JSON can hold. `low` and `high` are (date, band); times are in seconds,
        of worker 0's clock (`wall_s`) and of all workers' processors (`cpu_s`): epochs with
        reading, validation and checkpoints, without start-up and calibration, and without what
        was done again after a restart.
    """
    progress, model = trained.progress, trained.model
    return {
        "method": "fgunet",
        "nomenclature": plan.nomenclature,
        "codes": list(plan.codes),
        "untrained_codes": _untrained(plan),
        "dates": list(plan.dates),
        "bands": list(plan.bands),
        "nodata": plan.nodata,
        "low": [list(row) for row in plan.low],
        "high": [list(row) for row in plan.high],
        "class_weights": list(plan.class_weights),
        "dates_per_group": plan.dates_per_group,
        "width": plan.width,
        "dropout": plan.dropout,
        "precision": plan.precision,
        "avoid_test_context": plan.avoid_test_context,
        "halo": required_halo(model),
        "stride": required_stride(model),
        "n_parameters": int(model.count_params()),
        "tiles": [tile.tile for tile in plan.tiles],
        "seed": plan.seed,
        "epochs": progress.epochs,
        "best_epoch": progress.best_epoch,
        "best_validation_kappa": _kappa(progress),
        "calibration": trained.calibration.to_dict(),
        "select_on": plan.select_on,
        "select_by": plan.select_by,
        "patches": progress.steps * plan.batch_size,
        "wall_s": round(progress.wall_s, 3),
        "cpu_s": round(progress.cpu_s, 3),
        "plan_hash": plan.hash,
        "versions": {"fgunet": __version__, **_versions()},
    }


def _kappa(progress: Progress) -> float | None:
    """Kappa of the chosen epoch."""
    row = progress.history[progress.best_epoch - 1]
    return row["validation_kappa"]


def _untrained(plan: TrainingPlan) -> list[int]:
    """Codes that no training patch holds: the model never learnt them."""
    pairs = zip(plan.codes, plan.class_weights, strict=True)
    return [code for code, weight in pairs if weight == 0]


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
