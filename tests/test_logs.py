import logging
import subprocess
import sys
from pathlib import Path

import pytest

from fgunet.logs import Progress

RAISING = """
from fgunet.errors import SplitError
from fgunet.logs import log_to
log_to({path!r}, "T31TCJ")
raise {error}
"""


def run(path: Path, error: str) -> subprocess.CompletedProcess[str]:
    code = RAISING.format(path=str(path), error=error)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_our_error_is_one_line_in_log_and_terminal(tmp_path: Path) -> None:
    done = run(tmp_path / "deep" / "a.log", "SplitError('class 53 has 1 polygon')")
    assert done.returncode == 1
    assert done.stderr == "T31TCJ: SplitError: class 53 has 1 polygon\n"
    assert "Traceback" not in (tmp_path / "deep" / "a.log").read_text()


def test_an_error_is_one_line_where_the_log_cannot_be_written() -> None:
    done = run(Path("/dev/full"), "SplitError('class 53 has 1 polygon')")
    assert done.stderr == "T31TCJ: SplitError: class 53 has 1 polygon\n"


def test_an_unexpected_error_keeps_its_traceback(tmp_path: Path) -> None:
    done = run(tmp_path / "a.log", "KeyError('x')")
    assert done.returncode == 1
    assert "Traceback" in (tmp_path / "a.log").read_text()


def test_progress_says_its_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        progress = Progress("windows", 3, interval_s=1000)
        for _ in range(3):
            progress.advance()
    assert [r.getMessage().split(",")[0] for r in caplog.records] == ["3/3 windows (100 %)"]
