"""The image is made as the README's environment is, of all that a run needs and nothing else."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

NEEDED = (
    "Snakefile",
    "workflow_config.yaml",
    "envs",
    "fgunet",
    "profiles",
    "rules",
    "scripts",
    "tables",
)


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    """The Dockerfile, each instruction on one line and without comments."""
    text = (root / "Dockerfile").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n\s*", "", text)
    return re.sub(r"^#.*\n", "", joined, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def sent(root: Path) -> list[str]:
    """Names at the top of the repository that the builder is given."""
    text = (root / ".dockerignore").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


def test_the_environment_is_that_of_the_makefile(dockerfile: str, root: Path) -> None:
    assert "RUN make setup" in dockerfile.splitlines()
    assert "pip install" not in dockerfile
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in makefile.splitlines() if re.search(r"install .*-r ", line)]
    assert installs
    assert all("--require-hashes" in line for line in installs)


def test_only_what_the_environment_depends_on_makes_it_anew(dockerfile: str, root: Path) -> None:
    build = dockerfile.split("FROM ")[2]
    copied = [
        name for line in re.findall("^COPY (.*)", build, re.MULTILINE) for name in line.split()
    ]
    needed = {"Makefile", "pyproject.toml", "requirements.lock", "README.md", "LICENSE"}
    assert needed | {"fgunet/__init__.py"} == {name for name in copied if (root / name).is_file()}
    assert re.search(r"^setup: .*\n(.*\n)*?\$\(VENV\)/complete: requirements.lock pyproject.toml$",
                     (root / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip


def test_no_compiler_and_no_root_in_what_is_run(dockerfile: str) -> None:
    stages = dockerfile.split("FROM ")[1:]
    first, _, last = (stage.splitlines() for stage in stages)
    assert last[0] == "base"
    assert first[0].endswith(" AS base")
    assert not any("g++" in line for line in first + last)
    assert re.fullmatch(r"USER [1-9]\d*:[1-9]\d*", next(s for s in last if s.startswith("USER")))


def test_an_address_of_an_index_is_nowhere(dockerfile: str) -> None:
    assert not re.search(r"://|index-url|find-links|trusted-host", dockerfile)


def test_all_that_a_run_needs_is_sent_and_nothing_of_a_run(sent: list[str], root: Path) -> None:
    assert {*NEEDED, "Makefile", "pyproject.toml", "requirements.lock"} <= set(sent)
    assert all((root / name).exists() for name in sent)
    for name in (".venv", ".git", ".snakemake", "results", "simulated", "logs", "tests"):
        assert not any(fnmatch(name, pattern) for pattern in sent)


def test_the_python_is_the_makefiles(dockerfile: str, root: Path) -> None:
    version = re.search(r"^PYTHON \?= (\S+)$", (root / "Makefile").read_text(), re.MULTILINE)[1]
    first, build, _ = dockerfile.split("FROM ")[1:]
    assert f" {version} " in first
    assert f"{version}-venv" in build
