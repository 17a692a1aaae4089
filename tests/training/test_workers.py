"""Two and three real workers under horovodrun do what one does."""

import itertools
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fgunet.errors import TrainingError
from fgunet.training.launch import Launch
from fgunet.training.loop import Places, train
from fgunet.training.plan import write_plan
from fgunet.training.workers import Workers, _refuse_other_size

SCRIPT = """
    import sys
    sys.path.insert(0, sys.argv[1])
    from conftest import RandomPatches, TrainingPlan
    import numpy as np, pathlib
    from fgunet.training.loop import Places, train
    from fgunet.training.plan import read_plan
    from fgunet.training.workers import start_workers

    workers = start_workers()
    patches = RandomPatches(8, 8, 3)
    folder = pathlib.Path(sys.argv[3])
    trained = train(read_plan(sys.argv[2]), patches, patches, workers=workers,
                    places=Places.within(folder / str(workers.rank)))
    weights = np.concatenate([w.ravel() for w in trained.model.get_weights()])
    np.savez(folder / f"worker_{workers.rank}.npz", weights=weights,
             kappas=[row["validation_kappa"] for row in trained.progress.history],
             steps=trained.progress.steps, temperature=trained.calibration.temperature)
"""


def flat(trained):
    return np.concatenate([w.ravel() for w in trained.model.get_weights()])


@pytest.mark.parametrize(("workers", "dropout"), [(2, 0.0), (3, 0.0), (2, 0.3)])
def test_several_workers_give_the_weights_of_one(
    make_plan, random_patches, tmp_path, workers, dropout
):
    horovodrun = shutil.which("horovodrun", path=str(Path(sys.executable).parent))
    if horovodrun is None:
        pytest.skip("horovodrun is not installed in this environment")
    plan = make_plan(dropout=dropout, epochs=2)
    write_plan(tmp_path / "plan.json", plan)
    (tmp_path / "worker.py").write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [
            horovodrun, "-np", str(workers), "-H", f"localhost:{workers}", "--gloo",
            sys.executable, str(tmp_path / "worker.py"),
            str(Path(__file__).parent), str(tmp_path / "plan.json"), str(tmp_path),
        ],
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found = [np.load(tmp_path / f"worker_{rank}.npz") for rank in range(workers)]
    for other in found[1:]:
        np.testing.assert_array_equal(other["weights"], found[0]["weights"])
        assert other["temperature"] == found[0]["temperature"]
    written = [path.parent.name for path in tmp_path.glob("*/history.csv")]
    assert written == ["0"], "worker 0 alone writes"
    patches = random_patches(8, 8, 3)
    alone = train(
        plan, patches, patches, workers=Workers(), places=Places.within(tmp_path / "alone")
    )
    # Four steps of Adam at a rate of 0.01 move a weight by up to 0.04; what differs is rounding.
    np.testing.assert_allclose(found[0]["weights"], flat(alone), atol=2e-5)
    kappas = [row["validation_kappa"] for row in alone.progress.history]
    np.testing.assert_allclose(found[0]["kappas"], kappas, atol=0.01)
    np.testing.assert_allclose(found[0]["temperature"], alone.calibration.temperature, rtol=1e-3)


@pytest.mark.parametrize(("count", "size", "workers"), [(10, 3, 2), (1, 4, 3), (12, 2, 4)])
def test_portions_are_shared_out_whole(count, size, workers):
    of_one = Workers().portions(count, size)
    assert [number for portion in of_one for number in portion] == list(range(count))
    shared = [Workers(rank=rank, size=workers).portions(count, size) for rank in range(workers)]
    assert sorted(itertools.chain(*shared), key=min) == of_one
    assert max(map(len, shared)) - min(map(len, shared)) <= 1


def test_an_mpi_that_does_not_know_the_launcher_is_told():
    launch = Launch(0, 4, "srun")
    _refuse_other_size(launch, 4)
    with pytest.raises(TrainingError, match=r"srun started 4 workers, but MPI.* connected 1 of"):
        _refuse_other_size(launch, 1)
