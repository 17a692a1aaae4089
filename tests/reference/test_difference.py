import numpy as np
import pytest
import shapely

from fgunet.reference import difference
from fgunet.reference.difference import cut_by_many


def cut(geometry, cutters, least, most):
    return cut_by_many(
        np.array([geometry], dtype=object),
        np.array(cutters, dtype=object),
        np.zeros(len(cutters), dtype=np.int64),
        least=np.array([least]),
        most=np.array([most]),
    )[0]


@pytest.mark.parametrize("count", [1, 4, 5, 40])
def test_strips_are_taken_one_by_one_or_together(count):
    field = shapely.box(0, 0, 100, 10)
    strips = [shapely.box(2 * i, -1, 2 * i + 1, 11) for i in range(count)]
    left = cut(field, strips, 10.0 * count, 10.0 * count)
    assert left.area == pytest.approx(1000 - 10 * count)
    assert left.equals(field.difference(shapely.union_all(strips)))


@pytest.mark.parametrize("count", [2, 5])
def test_an_overlay_that_takes_nothing_is_made_anew(monkeypatch, count):
    field = shapely.box(0, 0, 100, 10)
    strips = [shapely.box(2 * i, -1, 2 * i + 1, 11) for i in range(count)]
    monkeypatch.setattr(difference, "_difference", lambda a, b: a)
    assert cut(field, strips, 10.0 * count, 10.0 * count).area == pytest.approx(1000 - 10 * count)


def test_an_overlay_that_takes_all_is_made_anew(monkeypatch):
    nothing = np.array([shapely.Polygon()], dtype=object)
    monkeypatch.setattr(difference, "_difference", lambda a, b: nothing[[0] * len(a)])
    left = cut(shapely.box(0, 0, 10, 10), [shapely.box(5, 0, 15, 10)], 50.0, 50.0)
    assert left.area == pytest.approx(50)


@pytest.mark.parametrize("where", ["difference", "union_all"])
def test_an_overlay_that_fails_is_made_anew(monkeypatch, where):
    field = shapely.box(0, 0, 100, 10)
    strips = [shapely.box(2 * i, -1, 2 * i + 1, 11) for i in range(5)]
    exact = getattr(shapely, where)

    def failing(*values, grid_size=None):
        if grid_size is None:
            raise shapely.GEOSException("TopologyException: side location conflict")
        return exact(*values, grid_size=grid_size)

    monkeypatch.setattr(shapely, where, failing)
    assert cut(field, strips, 50.0, 50.0).area == pytest.approx(950)
