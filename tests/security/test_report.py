"""Names that want to be a part of the page."""

from html.parser import HTMLParser

import pytest

from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.report.page import render_report
from tests.report.conftest import inputs_of, make_world

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'&<b>$\\frac$"
"""A title, a class, a product and a source of this name."""


class Page(HTMLParser):
    """Elements and texts of a page, as a browser takes them apart."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.scripts, self.handlers, self.images, self.texts = 0, [], [], []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.handlers += [name for name, _ in attributes if name.startswith("on")]
        self.images += [value for name, value in attributes if tag == "img" and name == "src"]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page_of(name: str) -> Page:
    nomenclature = Nomenclature(
        name,
        (
            LandCoverClass(1, name, (120, 160, 90), name),
            LandCoverClass(2, "sea", (20, 60, 160), ""),
        ),
    )
    world = make_world(nomenclature, methods=("forest",), tiles=("T30TWT",))
    configuration = {
        "title": name, "tiles": ["T30TWT"],
        "series": {"dates": ["20160105", "20160201"], "n_dates": None},
        "reference": {"sources": [{"name": name, "where": name}]},
    }  # fmt: skip
    inputs = inputs_of(world, focus_group=None, configuration=configuration, title=name)
    for listing in inputs.acquisitions:
        for row in listing["excluded"]:
            row["product"] = row["detail"] = name
    return Page(render_report(inputs))


@pytest.fixture(scope="module")
def hostile() -> Page:
    return page_of(HOSTILE)


def test_names_are_texts_on_the_page(hostile: Page) -> None:
    plain = page_of("land")
    assert hostile.scripts == plain.scripts
    assert hostile.handlers == plain.handlers == []
    assert all(source and source.startswith("data:") for source in hostile.images)
    assert sum(HOSTILE in text for text in hostile.texts) >= 3
