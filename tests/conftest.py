"""Fixtures of all tests."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import zarr
from hypothesis import settings
from numpy.typing import NDArray

from fgunet.series.layout import Layout, write_empty
from tests.cluster.local import running_slurm

ROOT = Path(__file__).resolve().parents[1]

# How long a machine takes says nothing of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def root() -> Path:
    """The top folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real products and reference data, beside the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real data is not there: no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def load_script() -> Callable[[str], ModuleType]:
    """A script of a rule as a module, by its name."""

    def load(name: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"script_{name}", ROOT / f"scripts/{name}.py")
        if spec is None or spec.loader is None:
            raise FileNotFoundError(name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def script(load_script: Callable[[str], ModuleType]) -> Callable[[str], Callable[..., None]]:
    """What a rule's script does, by its name: its `main`."""
    return lambda name: load_script(name).main


@pytest.fixture(scope="session")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Slurm of two nodes on this machine: the variables of the environment that reach it."""
    with running_slurm(tmp_path_factory.mktemp("slurm")) as variables:
        yield variables


WriteSeries = Callable[..., Path]


@pytest.fixture(scope="session")
def write_series() -> WriteSeries:
    """Write a series of given pixels: ``write(path, values, **what Layout takes)``."""

    def write(
        path: Path,
        values: NDArray[np.uint16],
        *,
        counts: dict[str, NDArray[np.uint16]] | None = None,
        **about: Any,
    ) -> Path:
        shape = tuple(-(-side // 64) * 64 for side in values.shape[2:])
        write_empty(path, Layout(**{"provenance": {}, "shard": shape, **about}))
        group = zarr.open_group(path, mode="r+", zarr_format=3)
        group["series"][:] = values
        for name, count in (counts or {}).items():
            group[name][:] = count
        return path

    return write
