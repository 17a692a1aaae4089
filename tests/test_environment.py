"""The pins of the conda environment are those of requirements.lock."""

import re
import tomllib
from pathlib import Path

import yaml


def locked(root: Path) -> dict[str, str]:
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, flags=re.MULTILINE))


def conda_pins(root: Path) -> dict[str, str]:
    content = yaml.safe_load((root / "envs" / "fgunet.yaml").read_text(encoding="utf-8"))
    pins = content["dependencies"][-1]["pip"]
    return dict(pin.split("==") for pin in pins)


def test_conda_pins_are_the_locked_ones(root: Path) -> None:
    lock = locked(root)
    del lock["horovod"]  # built after, by the post-deploy script
    assert conda_pins(root) == lock


def test_every_direct_dependency_is_locked(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {re.split(r"[\[<>=]", entry)[0] for entry in project["dependencies"]}
    assert direct <= locked(root).keys()


def test_horovod_is_built_as_locked(root: Path) -> None:
    script = (root / "envs" / "fgunet.post-deploy.sh").read_text(encoding="utf-8")
    assert f"horovod=={locked(root)['horovod']}" in script


def test_every_locked_package_has_a_hash(root: Path) -> None:
    text = (root / "requirements.lock").read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(locked(root))
    assert all("--hash=sha256:" in block for block in blocks)


def test_no_file_names_a_package_index(root: Path) -> None:
    for name in ("requirements.lock", "pyproject.toml", "envs/fgunet.yaml"):
        text = (root / name).read_text(encoding="utf-8")
        assert not re.search(r"--(extra-)?index-url|--find-links|https?://", text), name
