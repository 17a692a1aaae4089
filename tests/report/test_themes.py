import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from matplotlib.figure import Figure

from fgunet.report.style import INK, MUTED, RULE, SHADE, save_figure
from fgunet.report.themes import DARK, LIGHT, adapt_chart

SVG = "{http://www.w3.org/2000/svg}"


def luminance(colour):
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_as_wcag_has_it():
    assert contrast("#000000", "#ffffff") == 21
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_on_every_ground(theme):
    texts, grounds = ("ink", "muted", "accent", "good", "bad"), ("paper", "shade", "alarm")
    for text, ground in itertools.product(texts, grounds):
        assert contrast(theme[text], theme[ground]) >= 4.5, (text, ground)


def test_both_themes_name_the_same_colours():
    assert LIGHT.keys() == DARK.keys()


@pytest.fixture
def chart(tmp_path):
    figure = Figure(facecolor="white")
    axes = figure.subplots()
    axes.plot([0, 1], color="#0072b2", mec="white", marker="o")
    axes.axhspan(0, 1, color=SHADE)
    axes.axhline(0.5, color=RULE)
    axes.text(0, 0, "ink", color=INK)
    axes.text(0, 1, "muted", color=MUTED)
    save_figure(figure, tmp_path / "chart.svg")
    return (tmp_path / "chart.svg").read_text()


def test_charts_turn_dark_but_for_their_data(chart):
    adapted = adapt_chart(chart)
    styles = " ".join(re.findall(r'style="([^"]*)"', adapted))
    for name in ("ink", "muted", "rule", "shade", "paper"):
        assert f"var(--{name})" in styles
    for colour in (INK, MUTED, RULE, SHADE, "#ffffff"):
        assert colour in chart
        assert colour not in styles
    assert styles.count("#0072b2") == chart.count("#0072b2") > 0
    light, dark = adapted.split("@media(prefers-color-scheme:dark)")
    assert f"--ink:{INK};" in light
    assert f"--ink:{DARK['ink']};" in dark


def test_adapted_charts_stay_whole(chart):
    before, after = (ET.fromstring(text) for text in (chart, adapt_chart(chart)))  # noqa: S314
    assert len(list(after.iter())) == len(list(before.iter())) + 1
    assert after.find(f"{SVG}style") is not None
