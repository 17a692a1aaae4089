"""The plan of a training: everything that determines its result, as JSON."""

import dataclasses
import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
import yaml

from fgunet.errors import TrainingError
from fgunet.files import read_json, write_json

WITHOUT_EFFECT = frozenset({"portion", "checkpoint_every", "tensorboard"})
"""Fields that do not change what is learnt, but for rounding: a training may go on with others."""


@dataclass(frozen=True)
class TilePaths:
    """The files of a tile: its series and its reference rasters."""

    tile: str
    series: str
    code: str
    split: str


@dataclass(frozen=True)
class TrainingPlan:
    """What is trained, on what, and how.

    Attributes
    ----------
    nomenclature : str
        Name of the list of classes.
    codes : tuple of int
        Codes of the classes, in the order of their labels.
    tiles : tuple of TilePaths
        Files of each tile; paths hold from the folder in which training runs.
    dates, bands : tuple of str
        Dates (YYYYMMDD, rising) and bands of every series.
    nodata : int
        Value of pixels without data.
    low, high : tuple of tuple of float, (date, band)
        Percentiles of the training pixels: what normalisation takes to 0 and 1.
    class_weights : tuple of float
        Weight of each class in the loss; 0 for one that no training patch holds.
    dates_per_group, width, dropout, precision
        As `fgunet.network.build_fgunet` takes them.
    patch_size, jitter : int
        Side of a patch and greatest shift of its drawn pixel, in pixels.
    avoid_test_context : bool
        Whether training patches show no pixel of a test polygon, not even its image.
    epochs, patches_per_epoch : int
        Length of the training; an epoch is a whole number of steps.
    batch_size : int
        Patches of a step, over all workers together.
    portion : int
        Patches that run through the network at once: it bounds a worker's memory.
    learning_rate : float
        Rate of the whole step, after the warm-up.
    warmup_epochs : int
        Epochs over which the rate rises linearly from 0, step by step.
    plateau_factor, plateau_patience, minimum_learning_rate
        The rate is multiplied by the factor, down to the least rate, when the validation loss
        did not fall for so many epochs.
    validation_patches : int
        Patches that each epoch is judged by, the same in every epoch.
    select_on : {"validation", "training"}
        Split whose labels judge an epoch; "training" as the study did, which is no judgement.
    select_by : {"kappa", "quadratic_kappa"}
        Score of the chosen epoch; quadratic weights are for ordered classes, as the study used.
    checkpoint_every : int
        Steps between two checkpoints.
    tensorboard : bool
        Whether the history is also written for TensorBoard.
    seed : int
        Seed of patches, first weights and dropout.

    Raises
    ------
    TrainingError
        If a value is of the wrong kind or out of its range, or two contradict each other; all
        faults are named at once.
    """

    nomenclature: str
    codes: tuple[int, ...]
    tiles: tuple[TilePaths, ...]
    dates: tuple[str, ...]
    bands: tuple[str, ...]
    nodata: int
    low: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]
    class_weights: tuple[float, ...]
    dates_per_group: int
    width: int
    dropout: float
    precision: str
    patch_size: int
    jitter: int
    avoid_test_context: bool
    epochs: int
    patches_per_epoch: int
    batch_size: int
    portion: int
    learning_rate: float
    warmup_epochs: int
    plateau_factor: float
    plateau_patience: int
    minimum_learning_rate: float
    validation_patches: int
    select_on: str
    select_by: str
    checkpoint_every: int
    tensorboard: bool
    seed: int

    def __post_init__(self) -> None:
        faults = _malformed(self.to_dict()) or list(_contradictions(self))
        if faults:
            raise TrainingError("the training plan cannot be carried out: " + "; ".join(faults))

    @property
    def n_groups(self) -> int:
        """Groups of dates."""
        return len(self.dates) // self.dates_per_group

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, the same for every worker."""
        return self.patches_per_epoch // self.batch_size

    @property
    def hash(self) -> str:
        """SHA-256 of what the plan determines: two plans of one hash train the same network."""
        text = json.dumps(self.identity(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def identity(self) -> dict[str, Any]:
        """The fields that determine what is learnt."""
        return {k: v for k, v in self.to_dict().items() if k not in WITHOUT_EFFECT}

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; `from_dict` reads it."""
        value: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return value

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "TrainingPlan":
        """The plan that `to_dict` wrote.

        Raises
        ------
        TrainingError
            If keys are missing, unknown or malformed, or the plan cannot be carried out.
        """
        faults = _malformed(value)
        if faults:
            raise TrainingError(
                f"the training plan is malformed: {'; '.join(faults)}; make it again with the "
                "rule training_plan"
            )
        tiles = tuple(TilePaths(**tile) for tile in value["tiles"])
        return cls(**{**{k: _frozen(v) for k, v in value.items()}, "tiles": tiles})


def read_plan(path: str | os.PathLike[str]) -> TrainingPlan:
    """Read and check a plan.

    Raises
    ------
    TrainingError
        If the file is not a plan that can be carried out.
    """
    try:
        value = read_json(path)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} is not a training plan: {error}") from error
    try:
        return TrainingPlan.from_dict(value)
    except TrainingError as error:
        raise TrainingError(f"{path}: {error}") from error


def write_plan(path: str | os.PathLike[str], plan: TrainingPlan) -> None:
    """Write a plan as JSON, atomically."""
    write_json(path, plan.to_dict())


def require_groups(n_dates: int, dates_per_group: int) -> None:
    """Check that the dates can be cut into groups.

    Raises
    ------
    TrainingError
        If they cannot.
    """
    if dates_per_group < 1 or n_dates % dates_per_group:
        raise TrainingError(_uneven_groups(n_dates, dates_per_group))


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Where two plans differ, as "key: value of one, value of other"; long values are cut."""
    keys = sorted({*one, *other})
    return [
        f"{key}: {_short(one.get(key))}, now {_short(other.get(key))}"
        for key in keys
        if one.get(key) != other.get(key)
    ]


def _short(value: Any) -> str:
    return _cut(json.dumps(value), 60)


def _cut(text: str, length: int = 160) -> str:
    """A text, its middle left out where it is long."""
    half = length // 2 - 1
    return text if len(text) <= length else f"{text[:half]} … {text[-half:]}"


@cache
def _validator() -> jsonschema.Draft202012Validator:
    text = (files("fgunet") / "schemas" / "plan.yaml").read_text(encoding="utf-8")
    return jsonschema.Draft202012Validator(yaml.safe_load(text))


def _malformed(value: Any) -> list[str]:
    """What the schema has against a plan; nothing where it is well formed."""
    errors = sorted(_validator().iter_errors(value), key=lambda error: error.json_path)
    return [f"{error.json_path.removeprefix('$.')}: {_cut(error.message)}" for error in errors]


def _uneven_groups(n_dates: int, dates_per_group: int) -> str:
    return (
        f"{n_dates} dates cannot be cut into groups of {dates_per_group}; change series.n_dates "
        "or fgunet.dates_per_group so that the first is a multiple of the second"
    )


def _contradictions(plan: TrainingPlan) -> Iterator[str]:
    """What does not go together in a plan whose values are each in range."""
    if len(plan.dates) % plan.dates_per_group:
        yield _uneven_groups(len(plan.dates), plan.dates_per_group)
    if list(plan.dates) != sorted(plan.dates):
        yield f"dates do not rise: {', '.join(plan.dates)}"
    if len(plan.class_weights) != len(plan.codes):
        yield f"the {len(plan.codes)} classes have {len(plan.class_weights)} weights"
    elif sum(weight > 0 for weight in plan.class_weights) < 2:
        yield "fewer than two classes have training pixels: there is nothing to tell apart"
    yield from _of_percentiles(plan)
    yield from _of_patches(plan)
    if plan.minimum_learning_rate > plan.learning_rate:
        yield (
            f"minimum_learning_rate ({plan.minimum_learning_rate}) is above learning_rate "
            f"({plan.learning_rate})"
        )
    names = [tile.tile for tile in plan.tiles]
    if len(set(names)) < len(names):
        yield f"a tile stands twice: {', '.join(names)}"


def _of_percentiles(plan: TrainingPlan) -> Iterator[str]:
    shape = len(plan.dates), len(plan.bands)
    for name, rows in (("low", plan.low), ("high", plan.high)):
        if (len(rows), *{len(row) for row in rows}) != shape:
            yield f"{name} is no table of {shape[0]} dates x {shape[1]} bands"
            return
    pairs = [*zip(sum(plan.low, ()), sum(plan.high, ()), strict=True)]
    if not all(math.isfinite(low) and low <= high < math.inf for low, high in pairs):
        yield "a low percentile is above its high one, or one of them is no number"


def _of_patches(plan: TrainingPlan) -> Iterator[str]:
    if 2 * plan.jitter >= plan.patch_size:
        yield (
            f"jitter ({plan.jitter}) must be less than half of patch_size ({plan.patch_size}), or "
            "a patch could lose the pixel it was drawn for"
        )
    if plan.patches_per_epoch % plan.batch_size:
        yield (
            f"patches_per_epoch ({plan.patches_per_epoch}) is not a multiple of batch_size "
            f"({plan.batch_size})"
        )


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
