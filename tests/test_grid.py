import numpy as np
import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.errors import GridError
from fgunet.grid import Grid, Window, split_windows

GRID = Grid("EPSG:32631", (10.0, 0.0, 500000.0, 0.0, -10.0, 4800000.0), 40, 60)


def test_bounds_by_hand() -> None:
    assert GRID.bounds == (500000.0, 4799600.0, 500600.0, 4800000.0)
    assert GRID.resolution == (10.0, 10.0)


def test_cut_moves_the_origin_by_whole_pixels() -> None:
    cut = GRID.cut(Window(row=3, col=5, height=4, width=2))
    assert cut.transform == (10.0, 0.0, 500050.0, 0.0, -10.0, 4799970.0)
    assert cut.shape == (4, 2)


def test_coarsened_keeps_the_corner_and_the_ground() -> None:
    coarse = GRID.coarsened(2)
    assert coarse.shape == (20, 30)
    assert coarse.bounds == GRID.bounds


def test_coarsened_refuses_a_remainder() -> None:
    with pytest.raises(GridError, match="not a multiple of 7"):
        GRID.coarsened(7)


def test_dict_round_trip() -> None:
    assert Grid.from_dict(GRID.to_dict()) == GRID


@pytest.mark.parametrize(
    "transform",
    [(10.0, 1.0, 0.0, 0.0, -10.0, 0.0), (10.0, 0.0, 0.0, 0.0, 10.0, 0.0)],
    ids=["rotated", "south-up"],
)
def test_only_north_up(transform: tuple[float, ...]) -> None:
    with pytest.raises(GridError, match="north-up"):
        Grid("EPSG:32631", transform, 4, 4)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", range(6))
@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_grid_lies_somewhere(place: int, number: float) -> None:
    transform = list(GRID.transform)
    transform[place] = number
    with pytest.raises(GridError, match=r"must lie somewhere, its transform is .*gdal_edit"):
        Grid(GRID.crs, tuple(transform), 4, 4)  # type: ignore[arg-type]
    with pytest.raises(GridError, match="must lie somewhere"):
        Grid.from_dict(GRID.to_dict() | {"transform": transform})


def test_footprint_in_another_zone_holds_the_corners() -> None:
    footprint = GRID.footprint("EPSG:32632")
    transformer = pyproj.Transformer.from_crs("EPSG:32631", "EPSG:32632", always_xy=True)
    left, bottom, right, top = GRID.bounds
    expected = [transformer.transform(x, y) for x in (left, right) for y in (bottom, top)]
    corners = np.array(footprint.exterior.coords)
    for point in expected:
        assert np.hypot(*(corners - point).T).min() < 1e-3
    assert footprint.area == pytest.approx(GRID.footprint().area, rel=0.01)


@given(st.integers(1, 50), st.integers(1, 50), st.integers(1, 20))
def test_windows_cover_each_pixel_once(height: int, width: int, size: int) -> None:
    seen = np.zeros((height, width), dtype=int)
    for window in split_windows((height, width), size):
        seen[window.slices] += 1
        assert window.height <= size
        assert window.width <= size
    assert (seen == 1).all()


def test_expanded_is_cut_at_the_edges() -> None:
    grown = Window(0, 8, 4, 4).expanded(3, (10, 12))
    assert grown == Window(0, 5, 7, 7)
    assert Window(0, 8, 4, 4).relative_to(grown) == Window(0, 3, 4, 4)
