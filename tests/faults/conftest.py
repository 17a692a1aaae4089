"""An undisturbed run to compare with, and the table of faults at the end."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.faults.chain import Chain
from tests.faults.results import results_of
from tests.faults.small import small

Tried = Callable[[str, str], None]
_FAULT = "fault"


@pytest.fixture(scope="session")
def new_chain(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Chain]:
    """Make the small run in a folder that is empty but for its configuration."""

    def make() -> Chain:
        folder = tmp_path_factory.mktemp("chain") / "run"
        folder.mkdir()
        config = small(yaml.safe_load((root / "workflow_config.yaml").read_text(encoding="utf-8")))
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        return Chain(root / "Snakefile", folder)

    return make


@pytest.fixture(scope="session")
def whole(new_chain: Callable[[], Chain]) -> Chain:
    """A run that nothing happened to, with its temporary outputs."""
    chain = new_chain()
    chain.finish("--notemp")
    return chain


@pytest.fixture(scope="session")
def undisturbed(whole: Chain, tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A run that nothing happened to."""
    chain = whole.copied(tmp_path_factory.mktemp("undisturbed") / "run")
    # The end of a run removes temporary outputs that an earlier one has left.
    chain.remove("results/report.html")
    chain.finish()
    return chain


@pytest.fixture(scope="session")
def expected(undisturbed: Chain) -> dict[str, str]:
    """What every run has to end with."""
    return results_of(undisturbed.folder)


@pytest.fixture
def copied(undisturbed: Chain, tmp_path: Path) -> Chain:
    """A copy of the undisturbed run, its files of the same age."""
    return undisturbed.copied(tmp_path / "run")


@pytest.fixture
def tried(record_property: Callable[[str, object], None]) -> Tried:
    """Enter a fault, and where it struck, in the table at the end."""
    return lambda fault, where: record_property(_FAULT, (fault, where))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what was tried, and whether the results were the same in the end."""
    rows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for outcome, survived in (("passed", "yes"), ("failed", "NO")):
        for report in terminalreporter.getreports(outcome):
            for name, value in getattr(report, "user_properties", []):
                if name == _FAULT and report.when == "call":
                    rows[value[0], survived].append(value[1])
    if not rows:
        return
    terminalreporter.section("faults tried")
    for (fault, survived), places in sorted(rows.items()):
        where = sorted(set(places))
        told = ", ".join(where) if len(where) < 6 else f"{len(where)} rules"
        line = f"{fault:36} {len(places):4} times  survived: {survived:3}  {told}"
        terminalreporter.write_line(line)
