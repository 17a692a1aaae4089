import json
import logging
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

from fgunet.calibration import (
    HIGHEST,
    LOWEST,
    Calibration,
    calibration_error,
    fit_temperature,
    read_temperature,
    scaled,
    tell,
)
from fgunet.errors import ModelError


def simulated(factor: float, pixels: int = 20_000, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Logits `factor` times too large, and labels drawn from what they should be."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 2, (pixels, 5))
    draws = random.random((pixels, 1))
    labels = (draws > softmax(logits, axis=1).cumsum(axis=1)[:, :-1]).sum(axis=1)
    return factor * logits, labels


def test_two_classes_by_hand() -> None:
    """Where 3 of 4 pixels are right at a confidence of 0.9, it should be 0.75."""
    probabilities = np.array([[0.9, 0.1]] * 4)
    found = fit_temperature(probabilities, [0, 0, 0, 1])
    # p^(1/T) / (p^(1/T) + q^(1/T)) = 0.75, so that (p/q)^(1/T) = 3.
    assert found.temperature == pytest.approx(math.log(9) / math.log(3), rel=1e-9)
    assert found.pixels == 4
    assert found.log_loss_before == pytest.approx(-(3 * math.log(0.9) + math.log(0.1)) / 4)
    assert found.log_loss_after == pytest.approx(-(3 * math.log(0.75) + math.log(0.25)) / 4)
    assert found.calibration_error_before == pytest.approx(0.15)
    assert found.calibration_error_after == pytest.approx(0, abs=1e-9)
    assert (found.remark, found.split) == ("", "validation")


def test_a_weight_is_a_number_of_pixels() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]])
    weighted = fit_temperature(probabilities, [0, 1, 0], weights=[3, 1, 2])
    repeated = fit_temperature(np.repeat(probabilities, [3, 1, 2], axis=0), [0, 0, 0, 1, 0, 0])
    for name, value in repeated.to_dict().items():
        if name != "pixels":
            assert getattr(weighted, name) == pytest.approx(value), name


@pytest.mark.parametrize("factor", [0.4, 1.0, 2.5])
def test_a_known_factor_is_found_again(factor: float) -> None:
    logits, labels = simulated(factor)
    found = fit_temperature(softmax(logits, axis=1), labels)
    assert found.temperature == pytest.approx(factor, rel=0.03)  # 20,000 pixels: 1 % or so
    assert found.log_loss_after <= found.log_loss_before
    assert found.calibration_error_after < 0.01
    if factor != 1.0:
        assert found.calibration_error_before > 0.05


def test_it_is_the_minimum_by_scipy_and_on_a_grid() -> None:
    logits, labels = simulated(1.7, pixels=500)

    def log_loss(temperature: float) -> float:
        logs = log_softmax(logits / temperature, axis=1)
        return -float(logs[np.arange(500), labels].mean())

    found = fit_temperature(softmax(logits, axis=1), labels)
    best = minimize_scalar(log_loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-9})
    assert found.temperature == pytest.approx(best.x, abs=1e-5)
    assert found.log_loss_after == pytest.approx(best.fun, abs=1e-12)
    assert found.log_loss_before == pytest.approx(log_loss(1.0), abs=1e-12)
    assert found.log_loss_after <= min(map(log_loss, np.geomspace(0.05, 20, 400)))
    assert found == fit_temperature(softmax(logits, axis=1), labels)


def test_calibration_error_against_bins_one_by_one() -> None:
    logits, labels = simulated(2.0, pixels=3000)
    probabilities, weights = softmax(logits, axis=1), np.random.default_rng(1).random(3000)
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    expected = 0.0
    for low in range(10):
        inside = (confidence > low / 10) & (confidence <= (low + 1) / 10)
        if inside.any():
            mean = {"weights": weights[inside]}
            gap = np.average(right[inside], **mean) - np.average(confidence[inside], **mean)
            expected += weights[inside].sum() / weights.sum() * abs(gap)
    assert calibration_error(probabilities, labels, weights) == pytest.approx(expected, abs=1e-12)
    assert math.isnan(calibration_error(np.empty((0, 3)), []))


def test_one_vote_more_is_shared_by_all_classes() -> None:
    """So a class without any of four votes has a tenth, and is not impossible."""
    shares, labels = np.array([[1.0, 0.0]] * 10), [0] * 9 + [1]
    found = fit_temperature(shares, labels, votes=4)
    assert found.temperature == pytest.approx(1)
    assert found.log_loss_before == pytest.approx(-(9 * math.log(0.9) + math.log(0.1)) / 10)
    # Calibration errors are of what maps tell: the votes as they are.
    assert found.calibration_error_before == pytest.approx(0.1)
    assert fit_temperature(shares, labels).temperature == HIGHEST


def test_zeros_leave_the_likelihood_finite() -> None:
    found = fit_temperature(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]), [0, 1, 1])
    assert math.isfinite(found.log_loss_before)
    assert found.temperature == HIGHEST
    assert "beyond the bound 20" in found.remark


def test_where_every_pixel_is_right_the_bound_is_told() -> None:
    found = fit_temperature(np.array([[0.6, 0.4], [0.3, 0.7]]), [0, 1])
    assert found.temperature == LOWEST
    assert found.remark == "the best temperature lies beyond the bound 0.05"


@pytest.mark.parametrize(
    ("labels", "reason"), [([], "no pixel to fit it on"), ([1, 1], "all validation pixels are of")]
)
def test_undefined(labels: list[int], reason: str) -> None:
    found = fit_temperature(np.full((len(labels), 2), 0.5), labels)
    assert reason in found.remark
    assert found == Calibration(pixels=len(labels), remark=found.remark)
    assert found.temperature is None


def test_a_calibration_is_told(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        tell(fit_temperature(np.array([[0.9, 0.1]] * 4), [0, 0, 0, 1]))
    assert [record.levelname for record in caplog.records] == ["INFO"]
    assert "temperature 2.000, fitted on 4 validation pixels" in caplog.text
    tell(Calibration(remark="nothing to fit it on"))
    assert caplog.records[-1].levelname == "WARNING"
    assert "temperature None: nothing to fit it on" in caplog.text


def test_scaled_by_hand() -> None:
    probabilities = np.array([[0.8, 0.5, 1.0, 0.0], [0.2, 0.5, 0.0, 0.0]])
    np.testing.assert_allclose(  # squares: 0.64 and 0.04 of 0.68
        scaled(probabilities, 0.5), [[16 / 17, 0.5, 1, 0], [1 / 17, 0.5, 0, 0]]
    )


LIKELY = arrays(np.float32, (4, 3, 2), elements=st.floats(0, 1, width=32))
TEMPERATURES = st.floats(LOWEST, HIGHEST)


@given(LIKELY, TEMPERATURES, st.sampled_from([np.float32, np.float64]))
def test_scaled_keeps_the_order_of_classes(
    values: np.ndarray, temperature: float, dtype: type
) -> None:
    values = values.astype(dtype)
    found = scaled(values, temperature)
    assert found.dtype == dtype
    best = values.argmax(axis=0)[np.newaxis]
    np.testing.assert_array_equal(np.take_along_axis(found, best, 0)[0], found.max(axis=0))
    known = values.any(axis=0)
    np.testing.assert_allclose(found.sum(axis=0)[known], 1, rtol=1e-6)
    assert (found[:, ~known] == 0).all()
    assert (found[values == 0] == 0).all()


@given(LIKELY)
def test_a_temperature_of_1_changes_nothing(values: np.ndarray) -> None:
    sums = values.sum(axis=0, dtype=np.float64)
    shares = np.divide(values, sums, where=sums > 0, out=np.zeros(values.shape))
    np.testing.assert_allclose(scaled(shares, 1.0), shares, atol=1e-12)


@given(TEMPERATURES, st.integers(0, 2**32))
def test_scaled_probabilities_are_those_of_divided_logits(temperature: float, seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 5, (6, 10))
    expected = softmax(logits / temperature, axis=0)
    np.testing.assert_allclose(scaled(softmax(logits, axis=0), temperature), expected, atol=1e-12)


def test_the_temperature_of_a_model(tmp_path: Path) -> None:
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps({"calibration": Calibration(1.5, 10).to_dict()}))
    assert read_temperature(path) == 1.5
    path.write_text(json.dumps({"calibration": Calibration(remark="no pixel").to_dict()}))
    with pytest.raises(
        ModelError, match=r"metadata\.json tells no temperature \(no pixel\).*false"
    ):
        read_temperature(path)
    path.write_text("{}")
    with pytest.raises(ModelError, match=r"by a version that fitted none.*train the model again"):
        read_temperature(path)
