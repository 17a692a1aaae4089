import numpy as np
import pytest

from fgunet.simulate.catalogue import Catalogue
from fgunet.simulate.phenology import Surfaces, pulse_cover

RED, NIR = 2, 6


def _ndvi(catalogue: Catalogue, material: str, day: float, count: int = 200) -> float:
    numbers = np.full(count, catalogue.material_numbers[material], dtype=np.uint8)
    things = np.arange(1, count + 1, dtype=np.uint32)
    surfaces = Surfaces(catalogue, numbers, things, seed=1, region="here")
    values = surfaces.reflectance(day)
    return float(np.mean((values[:, NIR] - values[:, RED]) / (values[:, NIR] + values[:, RED])))


def test_pulse_by_hand() -> None:
    pulses = [(100.0, 200.0, 10.0, 10.0, 0.8)]
    days = np.array([100, 150, 200, 300], dtype=np.float32)
    np.testing.assert_allclose(pulse_cover(days, pulses), [0.4, 0.8, 0.4, 0.0], atol=1e-4)


def test_pulse_repeats_every_year() -> None:
    pulses = [(320.0, 420.0, 10.0, 10.0, 0.5)]
    day = np.array([5.0, 40.0], dtype=np.float32)
    np.testing.assert_allclose(
        pulse_cover(day, pulses), pulse_cover(day + 365.25, pulses), atol=1e-3
    )


@pytest.mark.parametrize(
    ("material", "green", "bare"),
    [("wheat", 125, 250), ("maize", 215, 120), ("broadleaf_tree", 200, 20), ("vine", 210, 60)],
)
def test_seasons(catalogue: Catalogue, material: str, green: int, bare: int) -> None:
    assert _ndvi(catalogue, material, green) > _ndvi(catalogue, material, bare) + 0.2


def test_fields_of_one_crop_differ(catalogue: Catalogue) -> None:
    numbers = np.full(50, catalogue.material_numbers["maize"], dtype=np.uint8)
    things = np.arange(50, dtype=np.uint32)
    values = Surfaces(catalogue, numbers, things, seed=1, region="a").reflectance(165)
    assert values[:, NIR].std() > 0.01
    elsewhere = Surfaces(catalogue, numbers, things, seed=1, region="b").reflectance(165)
    assert np.abs(values.mean(axis=0) - elsewhere.mean(axis=0)).max() > 1e-4


def test_asphalt_is_asphalt_all_year(catalogue: Catalogue) -> None:
    numbers = np.full(500, catalogue.material_numbers["asphalt"], dtype=np.uint8)
    surfaces = Surfaces(catalogue, numbers, np.arange(500, dtype=np.uint32), seed=1, region="a")
    np.testing.assert_array_equal(surfaces.reflectance(10), surfaces.reflectance(200))
