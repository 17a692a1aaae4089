"""The plan of a training: everything that determines its result, as JSON."""

import dataclasses
import hashlib
import json
import os
from dataclasses import dataclass
from typing import Any

from fgunet.errors import TrainingError
from fgunet.files import read_json, write_json


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
        Dates (YYYYMMDD) and bands of every series.
    nodata : int
        Value of pixels without data.
    low, high : tuple of tuple of float, (date, band)
        Percentiles of the training pixels: what normalisation takes to 0 and 1.
    class_weights : tuple of float
        Weight of each class in the loss.
    dates_per_group, width, dropout
        As `fgunet.network.build_fgunet` takes them.
    patch_size, jitter : int
        Side of a patch and greatest shift of its drawn pixel, in pixels.
    epochs, patches_per_epoch : int
        Length of the training; an epoch is a whole number of steps.
    batch_size : int
        Patches of a step, over all workers together.
    learning_rate : float
        Rate of the whole step, after the warm-up.
    warmup_epochs : int
        Epochs over which the rate rises linearly from 0, step by step.
    plateau_factor, plateau_patience, minimum_learning_rate
        The rate is multiplied by the factor, down to the least rate, when the validation loss
        did not fall for so many epochs.
    validation_patches : int
        Patches of the validation split, the same in every epoch.
    seed : int
        Seed of patches, first weights and dropout.

    Raises
    ------
    TrainingError
        If a value is out of its range or two contradict each other.
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
    patch_size: int
    jitter: int
    epochs: int
    patches_per_epoch: int
    batch_size: int
    learning_rate: float
    warmup_epochs: int
    plateau_factor: float
    plateau_patience: int
    minimum_learning_rate: float
    validation_patches: int
    seed: int

    def __post_init__(self) -> None:
        faults = [message for holds, message in _conditions(self) if not holds]
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
        """SHA-256 of the plan: two plans of one hash train the same network."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; `from_dict` reads it."""
        value: dict[str, Any] = json.loads(json.dumps(dataclasses.asdict(self)))
        return value

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> "TrainingPlan":
        """The plan that `to_dict` wrote.

        Raises
        ------
        TrainingError
            If keys are missing or unknown, or the plan cannot be carried out.
        """
        names = {field.name for field in dataclasses.fields(cls)}
        if set(value) != names:
            raise TrainingError(
                f"the training plan lacks {sorted(names - set(value))} and has unknown "
                f"{sorted(set(value) - names)}; make the plan again"
            )
        try:
            tiles = tuple(TilePaths(**tile) for tile in value["tiles"])
            return cls(**{**{k: _frozen(v) for k, v in value.items()}, "tiles": tiles})
        except TypeError as error:
            raise TrainingError(f"the training plan is malformed: {error}") from error


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
    if not isinstance(value, dict):
        raise TrainingError(f"{path} is not a training plan: it holds no keys")
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


def _uneven_groups(n_dates: int, dates_per_group: int) -> str:
    return (
        f"{n_dates} dates cannot be cut into groups of {dates_per_group}; change series.n_dates "
        "or fgunet.dates_per_group so that the first is a multiple of the second"
    )


def _conditions(plan: TrainingPlan) -> list[tuple[bool, str]]:
    """What must hold, and what to say where it does not."""
    shape = len(plan.dates), len(plan.bands)
    group = plan.dates_per_group
    positive = (
        "width patch_size epochs patches_per_epoch batch_size plateau_patience validation_patches"
    )
    conditions = [
        (getattr(plan, name) >= 1, f"{name} is {getattr(plan, name)}, it must be at least 1")
        for name in positive.split()
    ]
    conditions += [
        (group >= 1 and shape[0] % max(group, 1) == 0, _uneven_groups(shape[0], group)),
        (min(shape) >= 1, f"there are {shape[0]} dates and {shape[1]} bands"),
        (len(plan.tiles) >= 1, "there is no tile"),
        (len(plan.codes) >= 2, f"there are {len(plan.codes)} classes, at least 2 are needed"),
        (
            len(plan.class_weights) == len(plan.codes)
            and min(plan.class_weights, default=0) >= 0
            and sum(plan.class_weights) > 0,
            f"the {len(plan.codes)} classes have the weights {plan.class_weights}",
        ),
        (
            _shape(plan.low) == shape and _shape(plan.high) == shape,
            f"percentiles have the shapes {_shape(plan.low)} and {_shape(plan.high)}, not {shape}",
        ),
        (0 <= plan.dropout < 1, f"dropout is {plan.dropout}, it must lie in [0, 1)"),
        (
            plan.patches_per_epoch % max(plan.batch_size, 1) == 0,
            f"patches_per_epoch ({plan.patches_per_epoch}) is not a multiple of batch_size "
            f"({plan.batch_size})",
        ),
        (plan.warmup_epochs >= 0, f"warmup_epochs is {plan.warmup_epochs}"),
        (
            0 < plan.minimum_learning_rate <= plan.learning_rate,
            f"minimum_learning_rate ({plan.minimum_learning_rate}) must be above 0 and not above "
            f"learning_rate ({plan.learning_rate})",
        ),
        (0 < plan.plateau_factor < 1, f"plateau_factor is {plan.plateau_factor}, not in (0, 1)"),
        (plan.seed >= 0, f"seed is {plan.seed}, it must be at least 0"),
    ]
    return conditions


def _shape(rows: tuple[tuple[float, ...], ...]) -> tuple[int, int]:
    """Shape of a table; -1 columns where its rows differ."""
    lengths = {len(row) for row in rows}
    return len(rows), lengths.pop() if len(lengths) == 1 else -1


def _frozen(value: Any) -> Any:
    return tuple(_frozen(each) for each in value) if isinstance(value, list) else value
