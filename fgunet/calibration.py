"""Temperature scaling: one number that brings probabilities in line with how often they are right.

Guo et al. (2017), "On Calibration of Modern Neural Networks", ICML, equation 9: logits are divided
by a temperature T, which is fitted on pixels that trained nothing. So probabilities p become
p^(1/T), made to sum to 1 again. The order of a pixel's classes stays, and so do class maps.
"""

import logging
import os
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp, softmax

from fgunet.errors import ModelError
from fgunet.files import read_json

LOWEST, HIGHEST = 0.05, 20.0
"""Bounds of the temperature. Where every pixel is right, the best temperature would be 0."""

BINS = 10
"""Bins of confidence, equally wide, of the calibration error: those of the reliability diagram."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Calibration:
    """A temperature and what it is worth on the pixels that it was fitted on.

    Attributes
    ----------
    temperature : float or None
        Above 1 for a model that is too sure of itself, below 1 for one that is not sure enough;
        None where it is undefined.
    pixels : int
        Labelled pixels that it was fitted on.
    log_loss_before, log_loss_after : float or None
        Mean negative log-likelihood of their classes, in nats.
    calibration_error_before, calibration_error_after : float or None
        Expected calibration error, 0 to 1 (`calibration_error`).
    remark : str
        Why the temperature is undefined or lies on a bound; empty otherwise.
    split : str
        The split that the pixels are of.
    """

    temperature: float | None = None
    pixels: int = 0
    log_loss_before: float | None = None
    log_loss_after: float | None = None
    calibration_error_before: float | None = None
    calibration_error_after: float | None = None
    remark: str = ""
    split: str = "validation"

    def to_dict(self) -> dict[str, Any]:
        """A value that JSON can hold."""
        return asdict(self)


def fit_temperature(
    probabilities: NDArray[np.floating[Any]],
    labels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    votes: int | None = None,
) -> Calibration:
    """Fit the temperature with the least mean negative log-likelihood of labelled pixels.

    That mean is convex in 1/T, as each log-sum-exp in it is: its slope rises with 1/T, so the
    minimum is where the slope is 0.

    Parameters
    ----------
    probabilities : ndarray (pixel, class) float
        Of each class, 0 to 1.
    labels : array_like (pixel,) int
        Classes of the pixels, 0..n-1.
    weights : array_like (pixel,) float, optional
        What each pixel counts; 1 by default.
    votes : int, optional
        Where probabilities are shares of so many votes: a class without a vote is not impossible,
        which a likelihood would take it for. So for the likelihood alone one vote more is shared
        by all classes evenly (Perks 1947, Journal of the Institute of Actuaries 73(2)).

    Returns
    -------
    Calibration
    """
    reference = np.asarray(labels, dtype=np.intp)
    counted = np.ones(len(reference)) if weights is None else np.asarray(weights, np.float64)
    reason = _undefined(reference)
    if reason:
        return Calibration(pixels=len(reference), remark=reason)
    shares = counted / counted.sum()
    logs = _logarithms(np.asarray(probabilities, np.float64), votes)
    temperature = _least(logs, reference, shares)
    bounded = temperature in (LOWEST, HIGHEST)
    after = scaled(np.asarray(probabilities, np.float64).T, temperature).T
    return Calibration(
        temperature=temperature,
        pixels=len(reference),
        log_loss_before=_log_loss(logs, reference, shares, 1.0),
        log_loss_after=_log_loss(logs, reference, shares, temperature),
        calibration_error_before=calibration_error(probabilities, reference, shares),
        calibration_error_after=calibration_error(after, reference, shares),
        remark=f"the best temperature lies beyond the bound {temperature:g}" if bounded else "",
    )


def tell(found: Calibration) -> None:
    """Log what was fitted; a warning where it is undefined or lies on a bound."""
    if found.remark:
        _log.warning("temperature %s: %s", found.temperature, found.remark)
    if found.temperature is not None:
        _log.info(
            "temperature %.3f, fitted on %d %s pixels: calibration error %.4f, was %.4f",
            found.temperature,
            found.pixels,
            found.split,
            found.calibration_error_after,
            found.calibration_error_before,
        )


def calibration_error(
    probabilities: NDArray[np.floating[Any]], labels: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Expected calibration error: how far confidence is from the share that is right, on average.

    Guo et al. (2017), equation 3: pixels are sorted into `BINS` bins by the probability of their
    most probable class; of each bin, the gap between its mean confidence and its accuracy counts
    by its weight.

    Parameters
    ----------
    probabilities : ndarray (pixel, class) float
        Of each class, 0 to 1.
    labels : array_like (pixel,) int
        Classes of the pixels, 0..n-1.
    weights : array_like (pixel,) float, optional
        What each pixel counts; 1 by default.

    Returns
    -------
    float
        0 to 1; nan without pixels.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == np.asarray(labels)
    counted = np.ones(len(confidence)) if weights is None else np.asarray(weights, np.float64)
    if not counted.sum():
        return float("nan")
    # As Guo et al.: a bin holds its upper end.
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = np.bincount(places, counted * (right - confidence), BINS)
    return float(np.abs(gaps).sum() / counted.sum())


def scaled(
    probabilities: NDArray[np.floating[Any]], temperature: float
) -> NDArray[np.floating[Any]]:
    """Probabilities as a temperature makes them: p^(1/T), made to sum to 1.

    Parameters
    ----------
    probabilities : ndarray (class, ...) float
        Of each class, 0 to 1; 0 of every class for pixels without data.
    temperature : float
        Above 0.

    Returns
    -------
    ndarray (class, ...) float
        Of the same dtype. What is 0 stays 0, pixels without data do too.
    """
    largest = probabilities.max(axis=0)
    known = largest > 0
    # The largest becomes 1 first, so that no sum of powers vanishes.
    powers: NDArray[np.floating[Any]] = probabilities / np.where(known, largest, 1)
    np.power(powers, 1 / temperature, out=powers)
    powers /= np.where(known, powers.sum(axis=0), 1)
    return powers


def read_temperature(path_to_metadata: str | os.PathLike[str]) -> float:
    """The temperature that a model's metadata (JSON) tell.

    Raises
    ------
    ModelError
        If they tell none: the model was trained by an earlier version, or none could be fitted.
    """
    told = read_json(path_to_metadata).get("calibration") or {}
    temperature = told.get("temperature")
    if temperature is None:
        why = told.get("remark") or "the model was trained by a version that fitted none"
        raise ModelError(
            f"{path_to_metadata} tells no temperature ({why}), which mapping.calibrated asks for; "
            "train the model again, with pixels of the validation split, or set "
            "mapping.calibrated to false"
        )
    return float(temperature)


def _undefined(labels: NDArray[np.intp]) -> str:
    """Why no temperature can be fitted; empty where one can."""
    if not labels.size:
        return "the validation split has no pixel to fit it on"
    if (labels == labels[0]).all():
        return "all validation pixels are of one class"
    return ""


def _logarithms(probabilities: NDArray[np.float64], votes: int | None) -> NDArray[np.float64]:
    """Logarithms (pixel, class) that are finite."""
    if votes is not None:
        probabilities = (votes * probabilities + 1 / probabilities.shape[1]) / (votes + 1)
    logs: NDArray[np.float64] = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    return logs


def _least(
    logs: NDArray[np.float64], labels: NDArray[np.intp], shares: NDArray[np.float64]
) -> float:
    """The temperature, within its bounds, at which the log loss is least."""
    true = float(shares @ _of(logs, labels))

    def slope(inverse: float) -> float:
        """Of the log loss, by the inverse temperature."""
        expected = (softmax(inverse * logs, axis=1) * logs).sum(axis=1)
        return float(shares @ expected) - true

    if slope(1 / HIGHEST) >= 0:
        return HIGHEST
    if slope(1 / LOWEST) <= 0:
        return LOWEST
    return float(1 / brentq(slope, 1 / HIGHEST, 1 / LOWEST, xtol=1e-12))


def _log_loss(
    logs: NDArray[np.float64],
    labels: NDArray[np.intp],
    shares: NDArray[np.float64],
    temperature: float,
) -> float:
    scaled_logs = logs / temperature
    return float(shares @ (logsumexp(scaled_logs, axis=1) - _of(scaled_logs, labels)))


def _of(values: NDArray[np.float64], labels: NDArray[np.intp]) -> NDArray[np.float64]:
    """The value (pixel,) of each pixel's class."""
    found: NDArray[np.float64] = np.take_along_axis(values, labels[:, np.newaxis], axis=1)[:, 0]
    return found
