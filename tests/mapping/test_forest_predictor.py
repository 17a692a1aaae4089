import resource

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from fgunet.errors import ModelError
from fgunet.forest.model import Forest
from fgunet.mapping.decision import Layers, decide
from fgunet.mapping.forest_predictor import ForestPredictor
from fgunet.mapping.prediction import classify
from fgunet.mapping.windows import plan_windows
from tests.mapping.predictors import BANDS, CODES, DATES, NODATA, ArraySeries, make_values

SERIES = {"dates": DATES, "bands": BANDS, "nodata": NODATA}


@pytest.fixture(scope="module")
def forest() -> Forest:
    random = np.random.default_rng(2)
    values = random.integers(0, 9000, (200, 4)).astype(np.float32)
    codes = np.array(CODES, np.uint8)[(values[:, 2] // 3001).astype(int)]
    classifier = RandomForestClassifier(6, max_depth=5, random_state=1).fit(values, codes)
    return Forest(classifier, DATES, BANDS, CODES)


@pytest.mark.parametrize("core", [8, 13, 64])
@pytest.mark.parametrize("threads", [1, 2])
def test_any_windows_and_threads_give_what_scikit_learn_gives(
    forest: Forest, core: int, threads: int
) -> None:
    values = make_values((37, 29))
    values[:, :, 3:9, 4:7] = NODATA
    missing = (values == NODATA).any(axis=(0, 1))
    pixels = values.reshape(4, -1).T.astype(np.float32)
    shares = forest.classifier.predict_proba(pixels).T.reshape(3, 37, 29)
    expected = decide(shares, CODES, missing, Layers(margin=True))
    codes, confidence, margin = (np.full((37, 29), 99, np.uint8) for _ in range(3))

    def write(window, decided) -> None:
        codes[window.slices], confidence[window.slices] = decided.codes, decided.confidence
        margin[window.slices] = decided.margin

    predictor = ForestPredictor(forest, threads=threads, **SERIES)
    windows = plan_windows((37, 29), core=core, halo=predictor.halo, stride=predictor.stride)
    classify(predictor, ArraySeries(values).read, windows, write, nodata=NODATA,
             layers=Layers(margin=True))  # fmt: skip
    by_sklearn = forest.classifier.predict(pixels).reshape(37, 29)
    np.testing.assert_array_equal(codes, np.where(missing, 0, by_sklearn))
    np.testing.assert_array_equal(confidence, expected.confidence)
    np.testing.assert_array_equal(margin, expected.margin)


def test_another_series_is_refused(forest: Forest) -> None:
    with pytest.raises(ModelError, match="dates"):
        ForestPredictor(forest, dates=DATES[:1], bands=BANDS, nodata=NODATA)


def test_what_the_forest_takes_counts_as_taken(forest: Forest) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    memory = ForestPredictor(forest, **SERIES).memory
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    assert before < memory.fixed_mb <= after + 200
    # Two series and the channels, of two bytes; four times the votes, of eight.
    assert memory.bytes_per_pixel == 3 * 2 * 4 + 4 * 8 * 3
    assert "trees" in vars(forest)
