import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PatchCollection
from matplotlib.colors import to_hex
from matplotlib.text import Text

from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.report.accuracy_charts import confusion_matrices, f_by_class, kappa_by_tile
from fgunet.report.style import INK, save_figure

METHODS = ("fgunet", "forest")


def _nomenclature(n):
    classes = (LandCoverClass(code, f"cover {code}", (code, 9, 9), "o") for code in range(1, n + 1))
    return Nomenclature("many", tuple(classes))


def _texts(figure, path):
    save_figure(figure, path, dpi=20)
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def _in_cells(figure):
    """Figures in the cells of the first panel, by row and column."""
    return {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in figure.axes[0].texts
        if text.get_text().isdigit()
    }


def test_shares_by_row_and_by_column(tmp_path):
    matrix = np.array([[90, 10, 0], [0, 0, 0], [30, 169, 1]])
    rows = confusion_matrices({"forest": matrix}, _nomenclature(3))
    # The last share of the last row is 0.5 %, and left blank.
    assert _in_cells(rows) == {(0, 0): "90", (0, 1): "10", (2, 0): "15", (2, 1): "84"}
    texts = _texts(rows, tmp_path / "rows.png")
    assert texts.count("no test pixels") == 1
    assert "reference (each row: 100 %)" in texts
    columns = confusion_matrices({"forest": matrix}, _nomenclature(3), by_column=True)
    cells = {(0, 0): "75", (2, 0): "25", (0, 1): "6", (2, 1): "94", (2, 2): "100"}
    assert _in_cells(columns) == cells
    assert "mapped as (each column: 100 %)" in _texts(columns, tmp_path / "columns.png")


def test_a_class_that_is_never_mapped_has_an_empty_column(tmp_path):
    matrix = np.array([[5, 0], [5, 0]])
    figure = confusion_matrices({"forest": matrix}, _nomenclature(2), by_column=True)
    assert "not mapped" in _texts(figure, tmp_path / "columns.png")


@pytest.mark.parametrize("n", [1, 17, 30, 60])
@pytest.mark.parametrize("by_column", [False, True])
def test_matrices_of_any_number_of_classes(n, by_column, tmp_path):
    matrix = 9 * np.eye(n, dtype=int) + np.eye(n, k=1, dtype=int)
    matrices = dict.fromkeys(METHODS, matrix)
    figure = confusion_matrices(matrices, _nomenclature(n), by_column=by_column)
    texts = _texts(figure, tmp_path / "matrices.png")
    assert ("cover 1" in texts) == (n <= 40)
    assert bool(_in_cells(figure)) == (n <= 40)
    # Many classes take a whole page each: the second method stands below the first.
    tops = [axes.get_position().y1 for axes in figure.axes[:2]]
    assert (tops[0] == pytest.approx(tops[1])) == (n <= 20)
    shown = figure.axes[0].findobj(PatchCollection)[0]
    assert len(shown.get_facecolors()) == 2 * n - 1


def test_without_any_test_pixel_the_matrices_say_so(tmp_path):
    nothing = {"forest": np.zeros((3, 3), dtype=int)}
    for by_column in (False, True):
        figure = confusion_matrices(nothing, _nomenclature(3), by_column=by_column)
        assert _texts(figure, tmp_path / "nothing.png").count("no test pixels") == 3


def test_cells_keep_their_contrast_where_the_page_is_dark():
    # The page swaps INK and white on a dark screen; the colours of cells stay.
    figure = confusion_matrices({"forest": np.array([[9, 1], [3, 7]])}, _nomenclature(2))
    axes = figure.axes[0]
    used = {to_hex(colour) for colour in axes.findobj(PatchCollection)[0].get_facecolors()}
    used |= {text.get_color() for text in axes.texts}
    assert len(used) > 4
    assert not used & {INK, "#ffffff", "white"}


def _summary(**kappa):
    rows = [
        {"tile": tile, "method": method, "pixels": pixels, "kappa": value}
        for tile, (pixels, value) in {**kappa, "pooled": (9, 0.8)}.items()
        for method in METHODS
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(kappa_lower=frame["kappa"] - 0.1, kappa_upper=frame["kappa"] + 0.1)


def test_a_tile_without_kappa_says_why(tmp_path):
    summary = _summary(A=(9, 0.7), B=(0, np.nan), C=(9, np.nan))
    texts = _texts(kappa_by_tile(summary, METHODS), tmp_path / "kappa.png")
    assert texts.count("no test pixels") == 1
    assert texts.count("one class only: undefined") == 1


def test_undefined_everywhere_and_a_method_without_rows(tmp_path):
    summary = _summary(A=(0, np.nan)).assign(pixels=0, kappa=np.nan)
    figure = kappa_by_tile(summary, ["fgunet", "absent"])
    texts = _texts(figure, tmp_path / "kappa.png")
    assert texts.count("no test pixels") == 2
    assert "absent" in texts
    assert figure.axes[0].get_xlim() == (0, 1)


@pytest.mark.parametrize("n", [1, 60])
@pytest.mark.parametrize("methods", [METHODS, METHODS[:1]])
def test_f_of_any_number_of_classes(n, methods, tmp_path):
    rows = [
        {"tile": "pooled", "method": method, "code": code, "f_score": value}
        for method in methods
        for code, value in enumerate([np.nan] * (n > 1) + [0.7] * (n - (n > 1)), start=1)
    ]
    classes = pd.DataFrame(rows).assign(f_score_lower=0.6, f_score_upper=0.8)
    figure = f_by_class(classes, methods, _nomenclature(n), None)
    texts = _texts(figure, tmp_path / "f.png")
    assert f"cover {n}" in texts
    assert texts.count("no test pixels") == (n > 1)
