"""The page in a browser, as readers open it: from a file, with the network cut off."""

import re
from dataclasses import replace

import numpy as np
import pytest

from fgunet.grid import Grid, Window
from fgunet.report.accuracy_charts import kappa_by_tile
from fgunet.report.overview import Picture
from fgunet.report.page import render_report
from fgunet.report.style import method_label, save_figure
from fgunet.report.viewer import Layer, tile_view

from .browser import Browser, Tab, find_browser

PHONE, DESKTOP = (390, 844), (1400, 900)
SHOWN = "document.querySelector('#viewer-whole').dataset.shown"
GRIDS = {
    "T30TWT": Grid("EPSG:32630", (10.0, 0.0, 500000.0, 0.0, -10.0, 5300000.0), 96, 96),
    # Twice as wide as high; its layers show every third pixel of it.
    "T31TDJ": Grid("EPSG:32631", (10.0, 0.0, 650000.0, 0.0, -10.0, 4800000.0), 96, 192),
}
PIECE = Window(31, 100, 40, 48)
GRIDS["T31TDJ, detail"] = GRIDS["T31TDJ"].cut(PIECE)

pytestmark = pytest.mark.skipif(not find_browser(), reason="no Chromium or Chrome in PATH")


@pytest.fixture(scope="module")
def layers(run):
    """The layers of each tile, by name."""
    made = {}
    for tile in ("T30TWT", "T31TDJ"):
        grid = GRIDS[tile]
        world, shape = run.world, grid.shape
        maps = {m: np.resize(world.maps[tile][m], shape) for m in world.methods}
        sure = np.resize(np.arange(101, dtype=np.uint8), shape).copy()
        sure[:3, :3] = 255
        reference = np.where(world.polygons[tile] > 0, world.truths[tile], 0).astype(np.uint8)
        made[tile] = [
            *(Layer(method_label(m), "class", codes) for m, codes in maps.items()),
            Layer("Reference polygons", "reference", np.resize(reference, shape)),
            Layer("FG-UNET, confidence", "confidence", sure),
        ]
    whole = made["T31TDJ"]
    made["T31TDJ, detail"] = [replace(one, values=one.values[PIECE.slices]) for one in whole]
    return {**made, "T31TDJ": [replace(one, values=one.values[::3, ::3]) for one in whole]}


@pytest.fixture(scope="module")
def page(run, layers, tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    random = np.random.default_rng(0)
    square, whole, detail = (
        tile_view(
            tile, grid, Picture(random.random((*grid.shape, 3)), "20160618", "true colour", ()),
            lambda _, tile=tile: layers[tile], 1,
        )
        for tile, grid in GRIDS.items()
    )  # fmt: skip
    views = [[square], [{**whole, "detail": detail["grid"]}, detail]]
    save_figure(kappa_by_tile(run.inputs.summary, run.world.methods), folder / "kappa.svg")
    figures = {"kappa_by_tile": ("svg", (folder / "kappa.svg").read_bytes())}
    html = render_report(replace(run.inputs, views=views, figures=figures))
    (folder / "report.html").write_text(html, encoding="utf-8")
    return (folder / "report.html").as_uri()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(find_browser(), tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def open_page(browser, page):
    tabs = []

    def open_at(size, **options):
        tabs.append(Tab(browser, page, *size, **options))
        if options.get("script", True):
            tabs[-1].until(SHOWN)
            tabs[-1].value("document.querySelector('#viewer-map').scrollIntoView({block: 'center', "
                           "behavior: 'instant'})")  # fmt: skip
        return tabs[-1]

    yield open_at
    for tab in tabs:
        tab.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, (360, 740), DESKTOP], ids=["phone", "narrow", "desktop"])
def test_the_page_opens_without_network_and_without_complaint(open_page, page, size, dark):
    tab = open_page(size, dark=dark, touch=size != DESKTOP)
    names = [event["method"] for event in tab.events]
    for complaint in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
        assert complaint not in names
    asked = [
        event["params"]["request"]["url"]
        for event in tab.events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if not url.startswith("data:")] == [page]
    assert tab.value("document.documentElement.scrollWidth") == size[0]
    ground = tab.value("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(20, 25, 29)" if dark else "rgb(255, 255, 255)")


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_charts_follow_the_page(open_page, dark):
    tab = open_page(DESKTOP, dark=dark)
    colour = tab.value("""(async () => {
        const image = document.querySelector('figure img');
        image.loading = 'eager';
        await image.decode();
        const canvas = new OffscreenCanvas(20, 20);
        canvas.getContext('2d').drawImage(image, 0, 0);
        return [...canvas.getContext('2d').getImageData(2, 2, 1, 1).data];
    })()""")
    assert colour == ([20, 25, 29, 255] if dark else [255, 255, 255, 255])


def swipe_of(tab):
    return int(tab.value("document.querySelector('#viewer-handle').getAttribute('aria-valuenow')"))


def middle_of(box):
    x, y, width, height = box
    return x + width / 2, y + height / 2


def test_the_swipe_moves_by_mouse(open_page):
    tab = open_page(DESKTOP)
    assert swipe_of(tab) == 50
    left, _, width, _ = tab.box("#viewer-canvas")
    start = middle_of(tab.box("#viewer-handle"))
    tab.drag(start, (left + 0.8 * width, start[1]))
    assert swipe_of(tab) == 80
    assert middle_of(tab.box("#viewer-handle"))[0] == pytest.approx(left + 0.8 * width, abs=1)
    tab.drag(middle_of(tab.box("#viewer-handle")), (left - 200, start[1]))
    assert swipe_of(tab) == 0


def test_the_swipe_moves_by_touch(open_page):
    tab = open_page(PHONE, touch=True)
    left, _, width, _ = tab.box("#viewer-canvas")
    x, y = middle_of(tab.box("#viewer-handle"))
    tab.touch([(x, y), (x - 20, y), (left + 0.25 * width, y)])
    assert swipe_of(tab) == 25


def test_the_swipe_moves_by_keyboard(open_page):
    tab = open_page(DESKTOP)
    tab.value("document.querySelector('#viewer-map').focus()")
    tab.press("Tab")
    assert tab.value("document.activeElement.id") == "viewer-handle"
    moves = {"ArrowRight": 52, "ArrowUp": 54, "ArrowLeft": 52, "PageDown": 42, "PageUp": 52,
             "End": 100, "Home": 0}  # fmt: skip
    for key, expected in moves.items():
        tab.press(key)
        assert swipe_of(tab) == expected, key
    told = tab.value("document.querySelector('#viewer-handle').getAttribute('aria-valuetext')")
    assert told == "0 % True colour, 2016-06-18, 100 % FG-UNET"


def test_what_is_drawn_changes_at_the_swipe(open_page):
    tab = open_page(DESKTOP)
    tab.value("""for (const [side, place] of [['left', 1], ['right', 3]]) {
        const select = document.querySelector(`#viewer-${side}`);
        select.selectedIndex = place;
        select.dispatchEvent(new Event('change'));
    }""")
    alone = "(x => [...document.querySelector('#viewer-canvas').getContext('2d')" \
            ".getImageData(x, 20, 1, 1).data][3])"  # fmt: skip
    # The reference is transparent between its polygons, FG-UNET's map is not.
    width = round(tab.box("#viewer-canvas")[2])
    columns = range(width // 2 + 30, width // 2 + 150, 4)
    assert {tab.value(f"{alone}({x})") for x in columns} == {0, 255}
    tab.value("document.querySelector('#viewer-handle').focus()")
    tab.press("End")
    assert {tab.value(f"{alone}({x})") for x in columns} == {255}


def told(tab):
    """What the viewer tells of the place under the pointer: layers' values, and x and y."""
    text = tab.value("document.querySelector('#viewer-values').innerText")
    found = re.search(r"x ([\d\u202f]+), y ([\d\u202f]+)", text)
    x, y = (int(re.sub(r"\D", "", number)) for number in found.groups())
    return text, x, y


def show(tab, tile):
    for _ in range([*GRIDS].index(tile)):
        tab.value("document.querySelector('#viewer-after').click()")
    tab.until(f"{SHOWN} === '{tile}'")


def choose(tab, side, name):
    tab.value(f"""(() => {{
        const select = document.querySelector('#viewer-{side}');
        select.selectedIndex = [...select.options].findIndex(({{ text }}) => text === '{name}');
        select.dispatchEvent(new Event('change'));
    }})()""")


def value_of(layer, grid, x, y, nomenclature):
    """What stands in the array at a place on the ground."""
    a, _, c, _, e, f = grid.transform
    step = grid.width // layer.values.shape[1]
    value = int(layer.values[int((y - f) / e) // step, int((x - c) / a) // step])
    if layer.kind == "confidence":
        return "no data" if value == 255 else f"{value} %"
    return nomenclature.names.get(value, "no polygon" if layer.kind == "reference" else "no class")


@pytest.mark.parametrize("tile", GRIDS)
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_class_under_the_pointer_is_the_one_in_the_map(open_page, layers, run, tile, size):
    tab = open_page(size)
    show(tab, tile)
    grid = GRIDS[tile]
    left, top, width, height = tab.box("#viewer-canvas")
    scale = min(width / grid.width, height / grid.height)
    corner = left + (width - scale * grid.width) / 2, top + (height - scale * grid.height) / 2
    random = np.random.default_rng(2)
    names = [layer.name for layer in layers[tile]]
    places = [(1, 1), *random.integers(0, (grid.width, grid.height), (15, 2))]
    for place, (column, row) in enumerate(places):
        one, other = layers[tile][place % 4], layers[tile][(place + 1) % 4]
        choose(tab, "left", names[place % 4])
        choose(tab, "right", names[(place + 1) % 4])
        x, y = (c + scale * (p + 0.5) for c, p in zip(corner, (column, row), strict=True))
        tab.mouse("mouseMoved", x, y)
        text, east, north = told(tab)
        a, _, c, _, e, f = grid.transform
        assert east == pytest.approx(c + a * (column + 0.5), abs=a / 2 + 1)
        assert north == pytest.approx(f + e * (row + 0.5), abs=a / 2 + 1)
        centre = c + a * (column + 0.5), f + e * (row + 0.5)
        for layer in (one, other):
            expected = value_of(layer, grid, *centre, run.world.nomenclature)
            assert f"{layer.name}: {expected}" in text


def scale_of(tab):
    """CSS pixels to a pixel of the first tile where it is shown whole."""
    return min(tab.box("#viewer-canvas")[2:]) / 96


def zoom_of(tab):
    return float(tab.value("document.querySelector('#viewer-map').dataset.zoom"))


def test_the_map_zooms_about_the_pointer_and_moves(open_page):
    tab = open_page(DESKTOP)
    left, top, width, height = tab.box("#viewer-canvas")
    point = left + 0.3 * width, top + 0.4 * height
    tab.mouse("mouseMoved", *point)
    _, *before = told(tab)
    scale_bar = tab.value("document.querySelector('#viewer-bar').textContent")
    tab.mouse("mouseWheel", *point, deltaX=0, deltaY=-500)
    tab.until("document.querySelector('#viewer-map').dataset.zoom > 1")
    assert zoom_of(tab) == pytest.approx(np.e, abs=0.01)
    tab.mouse("mouseMoved", *point)
    assert told(tab)[1:] == pytest.approx(before, abs=2)
    assert tab.value("document.querySelector('#viewer-bar').textContent") != scale_bar
    # What was under the pointer goes with it.
    target = left + 0.5 * width, top + 0.45 * height
    tab.drag(point, target)
    assert told(tab)[1:] == pytest.approx(before, abs=2)
    for name, factor in (("closer", 1.5), ("farther", 1 / 1.5)):
        zoom = zoom_of(tab)
        tab.value(f"document.querySelector('#viewer-{name}').click()")
        assert zoom_of(tab) == pytest.approx(factor * zoom, abs=0.01)
    tab.value("document.querySelector('#viewer-fit').click()")
    assert zoom_of(tab) == 1


def test_keys_zoom_and_move_the_map_and_tell_its_middle(open_page):
    tab = open_page(DESKTOP)
    tab.value("document.querySelector('#viewer-map').focus()")
    tab.press("+")
    assert zoom_of(tab) == 1.5
    _, x, y = told(tab)
    assert (x, y) == (500480, 5299520)
    tab.press("ArrowRight")
    assert told(tab)[1] > x
    tab.press("ArrowUp")
    assert told(tab)[2] > y
    tab.press("-")
    assert zoom_of(tab) == 1


def test_two_fingers_zoom(open_page):
    tab = open_page(PHONE, touch=True)
    left, top, width, height = tab.box("#viewer-canvas")
    y = top + 0.25 * height
    tab.touch(
        [(left + 0.3 * width, y), (left + 0.25 * width, y), (left + 0.2 * width, y)],
        [(left + 0.4 * width, y), (left + 0.45 * width, y), (left + 0.5 * width, y)],
    )
    assert zoom_of(tab) == pytest.approx(3, abs=0.05)


def test_one_finger_scrolls_past_a_whole_map(open_page):
    tab = open_page(PHONE, touch=True)
    x, y = middle_of(tab.box("#viewer-canvas"))
    before = tab.value("scrollY")
    tab.touch([(x - 60, y - 15 * step) for step in range(12)])
    tab.until(f"scrollY > {before} + 50")
    assert zoom_of(tab) == 1


def test_one_finger_moves_a_map_that_is_zoomed_in(open_page):
    tab = open_page(PHONE, touch=True)
    tab.value("document.querySelector('#viewer-closer').click()")
    x, y = middle_of(tab.box("#viewer-canvas"))
    before = tab.value("scrollY")
    tab.touch([(x - 60, y - 5 * step) for step in range(12)])
    assert tab.value("scrollY") == before
    tab.touch([(x - 60, y)])
    # The middle of the window is 55 CSS pixels south of where it was.
    assert told(tab)[2] == pytest.approx(5299520 - 10 * 55 / scale_of(tab) / 1.5, abs=12)


def test_the_legend_has_the_classes_of_the_tile(open_page, layers, run):
    tab = open_page(DESKTOP)
    names = run.world.nomenclature.names
    legend = "document.querySelector('#viewer-legend').innerText"
    present = set(np.unique(layers["T30TWT"][0].values).tolist()) - {0}
    assert tab.value(legend).split("\n") == [names[code] for code in sorted(present)]
    choose(tab, "right", "FG-UNET, confidence")
    assert tab.value(legend).split() == ["confidence,", "%", "0", "100"]


def test_tiles_are_chosen_and_layers_kept(open_page):
    tab = open_page(DESKTOP)
    choose(tab, "left", "Reference polygons")
    tab.value("document.querySelector('#viewer-before').click()")
    tab.until(f"{SHOWN} === 'T31TDJ, detail'")
    left = tab.value("document.querySelector('#viewer-left-name').textContent")
    assert left == "Reference polygons"
    label = tab.value("document.querySelector('#viewer-map').getAttribute('aria-label')")
    assert label.startswith("Map of tile T31TDJ, detail: on the left Reference polygons")
    assert tab.value("document.querySelector('#viewer-tile').value") == "T31TDJ, detail"


def colours_across(tab, x, y):
    """Colours (red, green, blue) of 13 pixels of the map's canvas, about one."""
    found = tab.value(f"""[...document.querySelector('#viewer-canvas').getContext('2d')
        .getImageData({x - 6}, {y}, 13, 1).data]""")
    return np.array(found).reshape(-1, 4)[:, :3]


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_frame_marks_where_the_detail_lies(open_page, size):
    tab = open_page(size)
    show(tab, "T31TDJ")
    # Its colours are not black, and have less blue than white mixed with any of them.
    choose(tab, "left", "FG-UNET, confidence")
    choose(tab, "right", "FG-UNET, confidence")
    tab.value("document.querySelector('#viewer-handle').focus()")
    tab.press("Home")
    grid = GRIDS["T31TDJ"]
    width, height = tab.box("#viewer-canvas")[2:]
    scale = min(width / grid.width, height / grid.height)
    middle = PIECE.row + PIECE.height / 2 - grid.height / 2
    y = round(height / 2 + scale * middle)
    for column in (PIECE.col, PIECE.col + PIECE.width):
        x = round(width / 2 + scale * (column - grid.width / 2))
        line = colours_across(tab, x, y)
        dark, bright = line.max(axis=1) < 70, line[:, 2] > 150
        assert np.flatnonzero(dark).tolist() in ([5], [6], [5, 6], [6, 7])
        assert bright[:6].any()
        assert bright[6:].any()
    tab.value("document.querySelector('#viewer-after').click()")
    tab.until(f"{SHOWN} === 'T31TDJ, detail'")
    assert not (colours_across(tab, x, y)[:, 2] > 150).any()


def test_a_page_without_script_says_where_the_maps_are(open_page):
    tab = open_page(DESKTOP, script=False)
    assert tab.box("#viewer-whole")[3] == 0
    assert tab.box("#viewer-missing")[3] > 0
    assert tab.box("#accuracy")[3] > 0


def test_the_page_prints(open_page):
    tab = open_page(DESKTOP, dark=True)
    content = tab.pdf()
    assert content.startswith(b"%PDF")
    # A4 in points.
    assert re.search(rb"/MediaBox \[0 0 59[45]\S* 84[12]\S*\]", content)
