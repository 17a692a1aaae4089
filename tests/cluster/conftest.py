"""A small chain of two tiles, run on this machine and through each profile."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from .runs import PROFILES, ROOT, THREADS, Cluster, Runs, start, through, user_environment


def small(config: dict[str, Any]) -> dict[str, Any]:
    """The shipped configuration on two tiles of 128 pixels, trained for seconds."""
    config["tiles"] = ["T30TWT", "T31TGK"]
    config["simulation"]["tile_size"] = 128
    config["split"]["leave_out_scarce"] = True
    config["fgunet"].update(
        patch_size=32, jitter=8, epochs=1, patches_per_epoch=64, validation_patches=16
    )
    config["forest"].update(trees=5, samples_per_class=100)
    config["accuracy"]["bootstrap_samples"] = 100
    # Without filters: thirty jobs less.
    config["comparison"]["majority_radius"] = 0
    for method in ("fgunet", "forest"):
        config["mapping"]["regularisation"][method].update(majority_radius=0, minimum_area_m2=0)
    return config


@pytest.fixture(scope="session")
def cluster(slurm: dict[str, str]) -> Cluster:
    return Cluster(user_environment(slurm))


@pytest.fixture(scope="session")
def runs(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """One run on this machine and one through each profile, all at once: most of it is waiting."""
    base = tmp_path_factory.mktemp("runs")
    text = (ROOT / "workflow_config.yaml").read_text(encoding="utf-8")
    config = yaml.safe_dump(small(yaml.safe_load(text)), sort_keys=False)
    started = {}
    for name in ("here", *PROFILES):
        folder = base / name
        folder.mkdir()
        (folder / "config.yaml").write_text(config)
        options = [] if name == "here" else through(name)
        started[name] = start(folder, [*options, *THREADS], cluster.environment)
    yield Runs(base, started)
    for run in started.values():
        run.kill()
