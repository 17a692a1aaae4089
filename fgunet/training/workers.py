"""The workers that train together: Horovod, or one process alone."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf


def _same(value: Any) -> Any:
    return value


def _alone(tensor: tf.Tensor, name: str) -> tf.Tensor:
    return tensor


def _nothing(variables: Sequence[Any]) -> None:
    pass


@dataclass(frozen=True)
class Workers:
    """What a worker must know of the others; by default it is alone.

    Attributes
    ----------
    rank, size : int
        Number of this worker, and how many there are.
    sum : callable
        ``sum(tensor, name)`` over all workers; every worker must call it, in the same order,
        under the same name.
    broadcast : callable
        Set Keras variables to the values they have at worker 0.
    share : callable
        Any picklable value of worker 0, given to all.
    """

    rank: int = 0
    size: int = 1
    sum: Callable[[tf.Tensor, str], tf.Tensor] = _alone
    broadcast: Callable[[Sequence[Any]], None] = _nothing
    share: Callable[[Any], Any] = _same

    @property
    def leads(self) -> bool:
        """Whether this is worker 0, the one that writes."""
        return self.rank == 0


def start_workers() -> Workers:
    """Join the workers that `horovodrun` started; alone where it started none.

    Returns
    -------
    Workers
    """
    if "HOROVOD_RANK" not in os.environ:
        return Workers()
    return _horovod()


def _horovod() -> Workers:
    import horovod.tensorflow as hvd  # noqa: PLC0415  one worker alone needs no Horovod

    hvd.init()

    def total(tensor: tf.Tensor, name: str) -> tf.Tensor:
        return hvd.allreduce(tensor, op=hvd.Sum, name=name)

    def broadcast(variables: Sequence[Any]) -> None:
        hvd.broadcast_variables([variable.value for variable in variables], root_rank=0)

    def share(value: Any) -> Any:
        return hvd.broadcast_object(value, root_rank=0, name="share")

    return Workers(hvd.rank(), hvd.size(), total, broadcast, share)
