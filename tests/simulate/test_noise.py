import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgunet.simulate.noise import ranks, smooth_noise, voronoi
from fgunet.simulate.randomness import generator, hashed_normals, hashed_uniforms


def test_smooth_noise_is_standardised_and_smooth() -> None:
    field = smooth_noise(np.random.default_rng(1), (200, 150), 40, 1)
    assert field.shape == (200, 150)
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.abs(np.diff(field, axis=0)).max() < 0.3


@given(st.integers(1, 40), st.integers(1, 40), st.floats(1, 30))
def test_smooth_noise_of_any_shape(height: int, width: int, length: float) -> None:
    field = smooth_noise(np.random.default_rng(0), (height, width), length)
    assert field.shape == (height, width)
    assert np.isfinite(field).all()


def test_ranks_by_hand() -> None:
    np.testing.assert_allclose(ranks(np.array([[5.0, 1.0], [9.0, 3.0]])), [[0.5, 0], [0.75, 0.25]])


def test_voronoi_without_wobble_is_the_nearest_point() -> None:
    numbers, count = voronoi(np.random.default_rng(3), (30, 30), 8, wobble=0)
    assert 0 <= numbers.min() <= numbers.max() < count
    # Cells of the nearest point are convex: each row meets each of them in one run.
    for row in numbers:
        runs = row[np.flatnonzero(np.diff(row, prepend=-1))]
        assert len(set(runs.tolist())) == len(runs)


def test_generators_depend_on_all_labels() -> None:
    draws = {generator(1, *labels).random() for labels in (("a",), ("b",), ("a", "b"), ("ab",))}
    assert len(draws) == 4
    assert generator(1, "a").random() == generator(1, "a").random()


def test_hashed_numbers_are_uniform_and_normal() -> None:
    ids = np.arange(20000, dtype=np.uint32)
    uniforms = hashed_uniforms(ids, 5)
    histogram, _ = np.histogram(uniforms, bins=20, range=(0, 1))
    assert histogram.min() > 850
    assert histogram.max() < 1150
    other = hashed_uniforms(ids, 6)
    assert abs(np.corrcoef(uniforms, other)[0, 1]) < 0.03
    normals = hashed_normals(ids, 5)
    assert normals.mean() == pytest.approx(0, abs=0.03)
    assert normals.std() == pytest.approx(1, abs=0.04)
