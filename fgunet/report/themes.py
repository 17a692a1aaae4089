"""The colours of the page and of its charts, by day and by night."""

import re

from fgunet.report.style import INK, MUTED, RULE, SHADE

LIGHT = {
    "paper": "#ffffff",
    "shade": "#f3f5f7",
    "rule": "#dfe4e8",
    "ink": "#1f2a33",
    "muted": "#5d6a74",
    "accent": "#00639b",
    "good": "#00664d",
    "bad": "#a33b20",
    "alarm": "#fdf1ed",
}
"""Colours of the page; "alarm" is the ground of what is broken."""

DARK = {
    "paper": "#14191d",
    "shade": "#1c2329",
    "rule": "#36424c",
    "ink": "#e3e8ec",
    "muted": "#a4b0b9",
    "accent": "#79bdf0",
    "good": "#63d3ab",
    "bad": "#f59b80",
    "alarm": "#33201b",
}
"""The same for readers whose device asks for a dark page."""

_CHARTS = {"paper": "#ffffff", "shade": SHADE, "rule": RULE, "ink": INK, "muted": MUTED}
_STYLE = re.compile(r'style="[^"]*"')


def adapt_chart(svg: str) -> str:
    """A chart whose frame follows the reader's choice of a light or a dark page.

    Letters, lines and grounds of `fgunet.report.style` turn dark; the colours of data stay.

    Parameters
    ----------
    svg : str
        A chart as `fgunet.report.style.save_figure` writes it: colours in style attributes.
    """
    names = {colour: f"var(--{name})" for name, colour in _CHARTS.items()}
    colours = re.compile("|".join(names))

    def named(style: re.Match[str]) -> str:
        return colours.sub(lambda found: names[found[0]], style[0])

    style = (
        f"<style>:root{{{_variables(_CHARTS)}}}"
        f"@media(prefers-color-scheme:dark){{:root{{{_variables(_dark_chart())}}}}}</style>"
    )
    head, tag, rest = svg.partition("<defs>")
    return f"{head}{style}{tag}{_STYLE.sub(named, rest)}"


def _dark_chart() -> dict[str, str]:
    return {name: DARK[name] for name in _CHARTS}


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in colours.items())
