"""What a command of Slurm says of its controllers; a real one is stopped in tests/cluster."""

import os
from pathlib import Path

import pytest

from fgunet.slurm import is_away, wait_for_slurm

UP, DOWN = "Slurmctld(primary) at a is UP", "Slurmctld(primary) at a is DOWN"
STANDBY = "Slurmctld(backup) at b is UP"


@pytest.fixture
def scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "scontrol"
    path.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    return path


@pytest.mark.parametrize(
    ("said", "code", "away"),
    [
        (UP, 0, False),
        (DOWN, 1, True),
        (f"{DOWN}\n{STANDBY}", 1, False),
        ("", 1, False),  # as where no Slurm is set up
    ],
)
def test_a_slurm_is_away_where_no_controller_answers(
    scontrol: Path, said: str, code: int, away: bool
) -> None:
    scontrol.write_text(f"#!/bin/sh\necho '{said}'\nexit {code}\n")
    assert is_away() is away


def test_without_slurm_none_is_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not is_away()


def test_it_is_waited_for(scontrol: Path, caplog: pytest.LogCaptureFixture) -> None:
    # It answers at the third question.
    scontrol.write_text(
        f'#!/bin/sh\ncd "${{0%/*}}"\necho >> asked\n'
        f"[ $(wc -l < asked) -lt 3 ] && echo '{DOWN}' || echo '{UP}'\n"
    )
    wait_for_slurm(poll_s=0)
    assert caplog.text.count("Slurm does not answer") == 1
    assert (scontrol.parent / "asked").read_text() == "\n" * 3


def test_it_is_not_waited_for_where_nobody_wants_it(scontrol: Path) -> None:
    scontrol.write_text(f"#!/bin/sh\necho '{DOWN}'\n")
    wait_for_slurm(lambda: False)
