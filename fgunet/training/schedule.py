"""The learning rate: a warm-up, then reductions on plateaus."""

from dataclasses import asdict, dataclass
from typing import Any

from fgunet.training.plan import TrainingPlan

LEAST_IMPROVEMENT = 1e-4
"""A validation loss must fall by more than this to count as lower."""


@dataclass
class Schedule:
    """State of the learning rate.

    Attributes
    ----------
    rate : float
        Rate after the warm-up, as reduced so far.
    lowest_loss : float or None
        Lowest validation loss so far.
    waited : int
        Epochs since.
    """

    rate: float
    lowest_loss: float | None = None
    waited: int = 0

    def rate_at(self, plan: TrainingPlan, step: int) -> float:
        """Rate of a step, counted from 0 over all epochs: it rises through the warm-up."""
        warm = plan.warmup_epochs * plan.steps_per_epoch
        return self.rate * min(1.0, (step + 1) / warm) if warm else self.rate

    def end_epoch(self, plan: TrainingPlan, epoch: int, loss: float) -> None:
        """Take note of the validation loss of `epoch`; reduce the rate on a plateau."""
        if self.lowest_loss is None or loss < self.lowest_loss - LEAST_IMPROVEMENT:
            self.lowest_loss, self.waited = loss, 0
            return
        self.waited += 1
        # While the rate still rises, a plateau says nothing about it.
        if epoch >= plan.warmup_epochs and self.waited >= plan.plateau_patience:
            self.rate = max(plan.minimum_learning_rate, self.rate * plan.plateau_factor)
            self.waited = 0

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold; ``Schedule(**value)`` reads it."""
        return asdict(self)
