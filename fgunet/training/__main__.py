"""Train FG-UNET: ``python -m fgunet.training PLAN OUTPUT_DIR``.

On several workers: ``horovodrun -np 2 -H localhost:2 --gloo python -m fgunet.training ...``.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence

from fgunet.errors import FgunetError


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and train; 0 on success, 1 where the library says why not."""
    parser = argparse.ArgumentParser(prog="python -m fgunet.training", description="Train FG-UNET.")
    parser.add_argument("plan", help="training plan (JSON)")
    parser.add_argument("output_dir", help="folder of model.keras, history.csv, metadata.json")
    parser.add_argument("--threads", type=int, default=1, help="threads of a worker (default 1)")
    options = parser.parse_args(arguments)
    _speak()
    # Both are read when the libraries are imported, which is why that comes after.
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("OMP_NUM_THREADS", str(options.threads))
    from fgunet.training.run import run, use_threads  # noqa: PLC0415

    use_threads(options.threads)
    try:
        run(options.plan, options.output_dir)
    except FgunetError as error:
        logging.getLogger(__name__).error("%s: %s", type(error).__name__, error)
        return 1
    return 0


def _speak() -> None:
    """Log to the terminal, where `horovodrun` gathers all workers; the others only warn."""
    rank = int(os.environ.get("HOROVOD_RANK", "0"))
    level = logging.WARNING if rank else logging.INFO
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


if __name__ == "__main__":
    sys.exit(main())
