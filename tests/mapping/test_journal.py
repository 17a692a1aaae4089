import logging
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from fgunet.grid import Window
from fgunet.mapping.decision import Layers, decide
from fgunet.mapping.journal import journal_beside

FIRST, SECOND = Window(0, 0, 4, 4), Window(0, 4, 4, 4)


def decided(seed: int, layers: Layers = Layers()):  # noqa: B008  immutable
    probabilities = np.random.default_rng(seed).random((3, 4, 4))
    return decide(probabilities, (1, 2, 3), np.zeros((4, 4), bool), layers)


def begin(target: Path, made_of: dict, core: int, *windows: Window) -> None:
    """Some windows, then the end of the process."""
    with suppress(KeyboardInterrupt), journal_beside(target, made_of, core=core) as journal:
        for number, window in enumerate(windows):
            journal.put(window, decided(number))
        raise KeyboardInterrupt


@pytest.mark.parametrize("layers", [Layers(), Layers(True, "uint8"), Layers(False, "float16")])
def test_what_was_put_is_got(tmp_path: Path, layers: Layers) -> None:
    with journal_beside(tmp_path / "map.tif", {}, core=4) as journal:
        journal.put(FIRST, decided(1, layers))
        found, expected = journal.get(FIRST), decided(1, layers)
        for name in ("codes", "confidence", "margin", "probabilities", "ties"):
            one, other = getattr(found, name), getattr(expected, name)
            np.testing.assert_array_equal(one, other)
            assert getattr(one, "dtype", None) == getattr(other, "dtype", None) or name == "ties"
        assert journal.has(FIRST)
        assert not journal.has(SECOND)
    assert list(tmp_path.iterdir()) == []


def test_it_goes_on_with_what_is_of_the_same_making(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    begin(target, {"model": "a", "dates": ("1", "2")}, 8, FIRST)
    with journal_beside(target, {"model": "a", "dates": ["1", "2"]}, core=12) as journal:
        assert journal.core == 8  # more memory does not make the windows anew
        assert journal.has(FIRST)
        assert journal.get(FIRST).ties == decided(0).ties


@pytest.mark.parametrize(("made_of", "core"), [({"model": "b"}, 8), ({"model": "a"}, 4)])
def test_it_begins_anew_otherwise(
    tmp_path: Path, made_of: dict, core: int, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / "map.tif"
    begin(target, {"model": "a"}, 8, FIRST, SECOND)
    with caplog.at_level(logging.INFO), journal_beside(target, made_of, core=core) as journal:
        assert journal.core == core
        assert not journal.has(FIRST)
        assert not journal.has(SECOND)
    assert "made anew" in caplog.text


def test_a_window_cut_off_while_it_is_written_does_not_count(tmp_path: Path) -> None:
    target = tmp_path / "map.tif"
    begin(target, {}, 8, FIRST)
    folder = tmp_path / ".map.unfinished"
    (folder / ".0_4.abc.part.npz").write_bytes((folder / "0_0.npz").read_bytes()[:100])
    with journal_beside(target, {}, core=8) as journal:
        assert journal.has(FIRST)
        assert not journal.has(SECOND)
    assert list(tmp_path.iterdir()) == []
