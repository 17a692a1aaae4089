"""Training a classifier on pixel samples."""

import hashlib
import json
import logging
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import packages_distributions, version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score

import fgunet
from fgunet.calibration import Calibration, fit_temperature, tell
from fgunet.errors import ModelError
from fgunet.forest.classifiers import ForestSettings, is_forest_class, make_classifier
from fgunet.forest.levels import to_levels
from fgunet.forest.model import Forest
from fgunet.forest.samples import Samples
from fgunet.logs import Progress
from fgunet.nomenclature import Nomenclature

_log = logging.getLogger(__name__)

_TREES_AT_A_TIME = 10

_VOTES = 1000
"""Votes that another classifier's probabilities are taken for: some give none to most classes."""


def train_forest(
    samples: Samples,
    nomenclature: Nomenclature,
    settings: ForestSettings,
    *,
    validation: Samples | None = None,
    seed: int,
    threads: int = 1,
) -> Forest:
    """Train a Random Forest (Breiman 2001, doi 10.1023/A:1010933404324), or what is in its place.

    The trees depend neither on `threads` nor on the order in which samples were drawn. Without
    levels they are those that scikit-learn grows from the same rows. The metadata tell how long
    they took to grow (`wall_s`, and `cpu_s` of all threads, both in seconds) in how many threads.

    Parameters
    ----------
    samples : Samples
        Training pixels of all tiles, as `merge_samples` gives them.
    nomenclature : Nomenclature
        Its codes must contain those of the samples.
    settings : ForestSettings
        The classifier.
    validation : Samples, optional
        Pixels of the validation split; they tell kappa and the temperature, and change no tree.
    seed : int
        Seed of the classifier.
    threads : int
        Trees grown at a time.

    Returns
    -------
    Forest

    Raises
    ------
    ModelError
        If fewer than two classes have samples, the classifier cannot be made, or a score is asked
        for that it does not have.
    NomenclatureError
        If a code is not in the nomenclature.
    """
    classifier = make_classifier(settings, seed)
    codes = samples.pixels["code"].to_numpy(np.uint8)
    nomenclature.labels(codes)
    counts = samples.counts()
    absent = _absent_codes(nomenclature, counts)
    dates, bands = samples.dates, samples.bands
    parameters = _parameters(type(classifier), settings, seed)
    metadata = _described(samples, nomenclature, parameters) | {"absent_codes": absent}
    with _timed() as cost:
        values, levels = _training_values(classifier, samples.reflectance, settings)
        del samples  # where the caller kept none, their memory is free for the trees
        out_of_bag = _fit(classifier, values, codes, settings, threads)
        if levels is not None:
            for tree in classifier.estimators_:
                levels.restore(tree.tree_)
    _log.info("trained on %d pixels in %.1f s", len(codes), cost["wall_s"])
    forest = Forest(classifier, dates, bands, tuple(counts), metadata)
    known, votes = _asked(forest, validation, threads)
    metadata.update(
        score=_score(forest, settings, out_of_bag, known, votes),
        calibration=_calibration(forest, known, votes).to_dict(),
        feature_importances=_importances(classifier, (len(dates), len(bands))),
        threads_per_worker=threads,
        **cost,
    )
    return forest


def _absent_codes(nomenclature: Nomenclature, counts: dict[int, int]) -> list[int]:
    if len(counts) < 2:
        raise ModelError(
            f"there are samples of the codes {list(counts)} only; a forest needs two classes. "
            "Check the reference polygons and their split"
        )
    absent = sorted(set(nomenclature.codes) - set(counts))
    if absent:
        names = ", ".join(f"{code} ({nomenclature.names[code]})" for code in absent)
        _log.warning("no training pixels of the classes %s: the forest cannot give them", names)
    return absent


def _training_values(
    classifier: Any, reflectance: NDArray[np.uint16], settings: ForestSettings
) -> tuple[NDArray[np.float32], Any]:
    # Extremely randomised trees draw thresholds between values: levels would change the draw.
    if type(classifier) is RandomForestClassifier:
        return to_levels(reflectance, settings.levels)
    return reflectance.astype(np.float32), None


def _fit(
    classifier: Any,
    values: NDArray[np.float32],
    codes: NDArray[np.uint8],
    settings: ForestSettings,
    threads: int,
) -> float | None:
    """Train a classifier; kappa of the training pixels that its trees did not see, if asked."""
    threaded = "n_jobs" in classifier.get_params()
    if threaded:
        classifier.set_params(n_jobs=threads)
    out_of_bag = None
    if is_forest_class(type(classifier)):
        out_of_bag = _grow(classifier, values, codes, settings)
    else:
        classifier.fit(values, codes)
    if threaded:
        # Batches of pixels are predicted side by side, each on one thread; left to itself, a
        # classifier may take all processors of the machine.
        classifier.set_params(n_jobs=1)
    return out_of_bag


def _grow(
    classifier: Any, values: NDArray[np.float32], codes: NDArray[np.uint8], settings: ForestSettings
) -> float | None:
    """Fit tree by tree, a few at a time, and say how far it is; the trees are those of one fit."""
    trees = classifier.n_estimators
    progress = Progress("trees", trees)
    classifier.set_params(warm_start=True)
    for first in range(0, trees, _TREES_AT_A_TIME):
        grown = min(trees, first + _TREES_AT_A_TIME)
        if settings.score_on == "out_of_bag" and grown == trees:
            classifier.set_params(oob_score=cohen_kappa_score)
        classifier.set_params(n_estimators=grown).fit(values, codes)
        progress.advance(grown - first)
    classifier.set_params(warm_start=False, oob_score=False)
    kappa = vars(classifier).pop("oob_score_", None)
    vars(classifier).pop("oob_decision_function_", None)
    return kappa if kappa is None else float(kappa)


def _asked(
    forest: Forest, validation: Samples | None, threads: int
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Codes (pixel,) of the validation pixels, and what the forest says of them (class, pixel)."""
    if validation is None or not len(validation):
        return np.empty(0, np.uint8), np.empty((len(forest.codes), 0))
    votes = forest.probabilities(validation.reflectance.T, threads=threads)
    return validation.pixels["code"].to_numpy(np.uint8), votes


def _calibration(
    forest: Forest, codes: NDArray[np.uint8], votes: NDArray[np.float64]
) -> Calibration:
    """The temperature of the pixels of the classes that the forest can give."""
    possible = np.isin(codes, forest.codes)
    if not possible.all():
        _log.warning(
            "%d validation pixels are of classes that the forest cannot give; they take no part in "
            "its temperature",
            np.count_nonzero(~possible),
        )
    classifier = forest.classifier
    calibration = fit_temperature(
        votes.T[possible],
        np.searchsorted(forest.codes, codes[possible]),
        votes=classifier.n_estimators if is_forest_class(type(classifier)) else _VOTES,
    )
    tell(calibration)
    return calibration


def _score(
    forest: Forest,
    settings: ForestSettings,
    out_of_bag: float | None,
    known: NDArray[np.uint8],
    votes: NDArray[np.float64],
) -> dict[str, Any] | None:
    """Kappa (Cohen 1960) and what it was counted on; None where there is nothing to count."""
    if settings.score_on == "out_of_bag":
        pixels = sum(forest.metadata["samples"].values())
        return {"on": "out_of_bag", "kappa": out_of_bag, "pixels": pixels}
    if not len(known):
        _log.warning("no pixels of the validation split: the forest has no validation kappa")
        return None
    given = np.asarray(forest.codes)[votes.argmax(axis=0)]
    kappa = float(cohen_kappa_score(known, given))
    _log.info("validation kappa %.4f, of %d pixels", kappa, len(known))
    defined = kappa if np.isfinite(kappa) else None
    return {"on": "validation", "kappa": defined, "pixels": len(known)}


def _importances(classifier: Any, shape: tuple[int, int]) -> list[list[float]] | None:
    """What each channel is worth to the classifier (date, band), in sum 1; None if untold.

    Of a forest the mean decrease in impurity; of another classifier what it calls importance.
    """
    found = getattr(classifier, "feature_importances_", None)
    if found is None or not np.sum(found) > 0:
        return None
    values = np.reshape(found, shape) / np.sum(found)
    return [[round(float(value), 9) for value in row] for row in values]


def _parameters(found: type[Any], settings: ForestSettings, seed: int) -> dict[str, Any]:
    """The settings that mean something to a class."""
    without = set() if is_forest_class(found) else {"trees", "depth"}
    without |= set() if found is RandomForestClassifier else {"levels"}
    return {k: v for k, v in asdict(settings).items() if k not in without} | {"seed": seed}


def _described(
    samples: Samples, nomenclature: Nomenclature, parameters: dict[str, Any]
) -> dict[str, Any]:
    """What a user of the model must know to give it the right input, and how it was made."""
    counts = samples.counts()
    identity = [parameters, samples.dates, samples.bands, nomenclature.name, nomenclature.codes]
    text = json.dumps(identity, sort_keys=True, default=str)
    return {
        "method": "forest",
        "nomenclature": nomenclature.name,
        "dates": list(samples.dates),
        "bands": list(samples.bands),
        "codes": list(counts),
        "samples": {str(code): count for code, count in counts.items()},
        "polygons": int(samples.pixels["polygon_id"].nunique()),
        "parameters": parameters,
        "configuration_hash": hashlib.sha256(text.encode()).hexdigest(),
        "versions": _versions(parameters["classifier"]),
        "workers": 1,
    }


def _versions(classifier: str) -> dict[str, str]:
    packages = {"numpy", "scikit-learn"}
    packages.update(packages_distributions().get(classifier.split(".", maxsplit=1)[0], [])[:1])
    return {
        "fgunet": fgunet.__version__,
        "python": platform.python_version(),
        **{package: version(package) for package in sorted(packages)},
    }


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Measure wall and processor time, in seconds."""
    cost: dict[str, float] = {}
    wall, cpu = time.perf_counter(), time.process_time()
    yield cost
    cost["wall_s"] = round(time.perf_counter() - wall, 3)
    cost["cpu_s"] = round(time.process_time() - cpu, 3)
