"""The Random Forest over the channels of a pixel."""

import hashlib
import json
import logging
import platform
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier

import fgunet
from fgunet.errors import ModelError
from fgunet.forest.samples import Samples, merge_samples
from fgunet.logs import Progress
from fgunet.nomenclature import Nomenclature

_CHUNK = 8192  # pixels a thread takes at a time: its channels stay in the cache
_log = logging.getLogger(__name__)

_TREES_AT_A_TIME = 10


@dataclass(frozen=True)
class Forest:
    """A trained forest and what it was trained on.

    Attributes
    ----------
    classifier : sklearn.ensemble.RandomForestClassifier
        Channels of a pixel (reflectance x 10000, date-major) to codes.
    dates, bands : tuple of str
        The channels.
    codes : tuple of int
        The codes it can give, rising: those with samples.
    metadata : dict
        What was found in training (`train_forest`).
    """

    classifier: RandomForestClassifier
    dates: tuple[str, ...]
    bands: tuple[str, ...]
    codes: tuple[int, ...]
    metadata: dict[str, Any] = field(default_factory=dict)

    def require_channels(self, dates: Sequence[str], bands: Sequence[str]) -> None:
        """Refuse a series with other dates or bands than the forest was trained on.

        Raises
        ------
        ModelError
            Naming what the series and the forest have.
        """
        for what, found, expected in (("dates", dates, self.dates), ("bands", bands, self.bands)):
            if tuple(found) != expected:
                raise ModelError(
                    f"the series has the {what} {list(found)}, the forest was trained on "
                    f"{list(expected)}; train it again or stack the series with its {what}"
                )

    def require_nomenclature(self, nomenclature: Nomenclature) -> None:
        """Refuse another nomenclature than the forest was trained with.

        Raises
        ------
        ModelError
            Naming both.
        """
        trained = self.metadata.get("nomenclature")
        if trained != nomenclature.name or set(self.codes) - set(nomenclature.codes):
            raise ModelError(
                f"the forest gives the codes {list(self.codes)} of {trained!r}, the nomenclature "
                f"is {nomenclature.name!r} {list(nomenclature.codes)}; use that of the training"
            )


def train_forest(
    samples: Samples,
    nomenclature: Nomenclature,
    *,
    trees: int,
    depth: int,
    samples_per_class: int,
    seed: int,
    threads: int = 1,
) -> Forest:
    """Train a Random Forest (Breiman 2001, doi 10.1023/A:1010933404324).

    The square root of the number of channels is tried at each split. The trees depend
    neither on `threads` nor on the order of the rows; the metadata tell how long they took to
    grow (`wall_s`, and `cpu_s` of all threads, both in seconds) in how many threads.

    Parameters
    ----------
    samples : Samples
        Training pixels of all tiles.
    nomenclature : Nomenclature
        Its codes must contain those of the samples.
    trees, depth : int
        Number of trees, and most levels of each.
    samples_per_class : int
        Most pixels of a class; those with the smallest keys are taken.
    seed : int
        Seed of the trees.
    threads : int
        Trees grown at a time.

    Returns
    -------
    Forest

    Raises
    ------
    ModelError
        If fewer than two classes have samples.
    NomenclatureError
        If a code is not in the nomenclature.
    """
    samples = merge_samples([samples], samples_per_class)  # also sorts by key
    counts = samples.counts()
    codes = samples.frame["code"].to_numpy(np.uint8)
    nomenclature.labels(codes)
    if len(counts) < 2:
        raise ModelError(f"samples of the codes {list(counts)} only; a forest needs two classes")
    absent = sorted(set(nomenclature.codes) - set(counts))
    if absent:
        _log.warning("no training pixels of the codes %s: the forest cannot give them", absent)
    classifier = RandomForestClassifier(
        n_estimators=trees,
        max_depth=depth,
        max_features="sqrt",
        random_state=seed,
        n_jobs=threads,
    )
    parameters = {
        "trees": trees,
        "depth": depth,
        "samples_per_class": samples_per_class,
        "seed": seed,
    }
    with _timed() as cost:
        _grow(classifier, samples.reflectance, codes)
    _log.info("%d trees from %d pixels in %.1f s", trees, len(codes), cost["wall_s"])
    # How it was grown is no part of the model.
    classifier.set_params(n_jobs=None, warm_start=False)
    metadata = {
        "method": "forest",
        "nomenclature": nomenclature.name,
        "dates": list(samples.dates),
        "bands": list(samples.bands),
        "codes": list(counts),
        "absent_codes": absent,
        "samples": {str(code): count for code, count in counts.items()},
        "parameters": parameters,
        "configuration_hash": _hash(parameters, samples, nomenclature),
        "feature_importances": _importances(classifier, samples),
        "versions": _versions(),
        "workers": 1,
        "threads_per_worker": threads,
        **cost,
    }
    return Forest(classifier, samples.dates, samples.bands, tuple(counts), metadata)


def _grow(
    classifier: RandomForestClassifier, values: NDArray[np.uint16], codes: NDArray[np.uint8]
) -> None:
    """Fit tree by tree, a few at a time, and say how far it is; the trees are those of one fit."""
    trees = classifier.n_estimators
    progress = Progress("trees", trees)
    classifier.set_params(warm_start=True)
    for first in range(0, trees, _TREES_AT_A_TIME):
        grown = min(trees, first + _TREES_AT_A_TIME)
        classifier.set_params(n_estimators=grown).fit(values, codes)
        progress.advance(grown - first)


def predict_probabilities(
    forest: Forest, values: NDArray[np.uint16], threads: int = 1
) -> NDArray[np.float32]:
    """Mean over the trees of the class shares of each pixel's leaf.

    Parameters
    ----------
    forest : Forest
        From `train_forest`, or loaded.
    values : ndarray (pixel, channel) uint16
        Reflectance x 10000, date-major.
    threads : int
        Chunks of pixels predicted at a time; the result does not depend on it.

    Returns
    -------
    ndarray (pixel, class) float32
        In the order of `forest.codes`; rows sum to 1.

    Raises
    ------
    ModelError
        If the number of channels is not the forest's.
    """
    channels = len(forest.dates) * len(forest.bands)
    if values.ndim != 2 or values.shape[1] != channels:
        raise ModelError(f"pixels of shape {values.shape}; the forest takes {channels} channels")
    out = np.empty((len(values), len(forest.codes)), dtype=np.float32)

    def predict(start: int) -> None:
        # One thread a chunk: scikit-learn's own threads add trees in the order they finish.
        part = slice(start, start + _CHUNK)
        out[part] = forest.classifier.predict_proba(values[part].astype(np.float32))

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(predict, range(0, len(values), _CHUNK)))
    return out


def _importances(classifier: RandomForestClassifier, samples: Samples) -> list[list[float]]:
    """Mean decrease in impurity of each channel, a row a date, a column a band; sums to 1."""
    shape = len(samples.dates), len(samples.bands)
    values = classifier.feature_importances_.reshape(shape)
    return [[round(float(value), 9) for value in row] for row in values]


def _hash(parameters: dict[str, int], samples: Samples, nomenclature: Nomenclature) -> str:
    content = [parameters, samples.dates, samples.bands, nomenclature.name, nomenclature.codes]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _versions() -> dict[str, str]:
    return {
        "fgunet": fgunet.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "scikit-learn": sklearn.__version__,
    }


@contextmanager
def _timed() -> Iterator[dict[str, float]]:
    """Measure wall and processor time, in seconds."""
    cost: dict[str, float] = {}
    wall, cpu = time.perf_counter(), time.process_time()
    yield cost
    cost["wall_s"] = round(time.perf_counter() - wall, 3)
    cost["cpu_s"] = round(time.process_time() - cpu, 3)
