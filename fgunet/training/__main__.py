"""Train FG-UNET: ``python -m fgunet.training PLAN OUTPUT_DIR``.

On several workers, put one of these before it: ``horovodrun -np 2 -H localhost:2 --gloo``,
``mpirun -np 2``, ``srun -n 2 --kill-on-bad-exit=1``.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from fgunet.errors import FgunetError, TrainingStoppedError
from fgunet.training.launch import launch_of

TERMINATED = 128 + 15
"""Exit status of a process that SIGTERM ended, by the convention of shells."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and train.

    Returns
    -------
    int
        Exit status: 0 on success, 143 if asked to stop, 1 where the library says why not.
    """
    parser = argparse.ArgumentParser(prog="python -m fgunet.training", description="Train FG-UNET.")
    parser.add_argument("plan", help="training plan (JSON)")
    parser.add_argument("output_dir", help="folder of model.keras, history.csv, metadata.json")
    parser.add_argument("--threads", type=int, default=1, help="threads of a worker (default 1)")
    options = parser.parse_args(arguments)
    try:
        _speak()
    except FgunetError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201  no log yet
        return 1
    # Both are read when the libraries are imported, which is why that comes after.
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    from fgunet.training.devices import use_threads  # noqa: PLC0415
    from fgunet.training.run import run  # noqa: PLC0415

    use_threads(options.threads)
    try:
        run(options.plan, options.output_dir, threads=options.threads)
    except FgunetError as error:
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
        return TERMINATED if isinstance(error, TrainingStoppedError) else 1
    return 0


def _speak() -> None:
    """Log to the terminal, where the launcher gathers all workers; the others only warn."""
    level = logging.WARNING if launch_of(os.environ).rank else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


if __name__ == "__main__":
    sys.exit(main())
