"""Two real workers under horovodrun do what one does."""

import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fgunet.training.loop import train
from fgunet.training.plan import write_plan
from fgunet.training.workers import Workers

SCRIPT = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from conftest import RandomPatches, TrainingPlan
    import numpy as np, pathlib
    from fgunet.training.loop import train
    from fgunet.training.plan import read_plan
    from fgunet.training.workers import start_workers

    workers = start_workers()
    patches = RandomPatches(8, 8, 3)
    folder = pathlib.Path(sys.argv[3])
    trained = train(read_plan(sys.argv[2]), patches, patches, workers=workers,
                    checkpoint=folder / "state.npz")
    weights = np.concatenate([w.ravel() for w in trained.model.get_weights()])
    np.save(folder / f"weights_{workers.rank}.npy", weights)
    np.save(folder / f"kappa_{workers.rank}.npy", trained.progress.best_kappa)
"""


def test_two_workers_give_the_weights_of_one(make_plan, random_patches, tmp_path):
    horovodrun = shutil.which("horovodrun", path=str(Path(sys.executable).parent))
    if horovodrun is None:
        pytest.skip("horovodrun is not installed in this environment")
    plan = make_plan(dropout=0.0, epochs=2)
    write_plan(tmp_path / "plan.json", plan)
    (tmp_path / "worker.py").write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [
            horovodrun, "-np", "2", "-H", "localhost:2", "--gloo",
            sys.executable, str(tmp_path / "worker.py"),
            str(Path(__file__).parent), str(tmp_path / "plan.json"), str(tmp_path),
        ],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    one, two = (np.load(tmp_path / f"weights_{rank}.npy") for rank in range(2))
    np.testing.assert_array_equal(one, two)
    patches = random_patches(8, 8, 3)
    alone = train(
        plan, patches, patches, workers=Workers(), checkpoint=tmp_path / "alone" / "state.npz"
    )
    expected = np.concatenate([w.ravel() for w in alone.model.get_weights()])
    np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-6)
    assert float(np.load(tmp_path / "kappa_0.npy")) == pytest.approx(alone.progress.best_kappa)
