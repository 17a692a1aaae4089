import json
import threading

import keras
import numpy as np
import pytest
from scipy.ndimage import uniform_filter
from sklearn.ensemble import RandomForestClassifier

from fgunet.errors import ModelError
from fgunet.forest.model import Forest
from fgunet.grid import Window
from fgunet.mapping.forest_predictor import ForestPredictor
from fgunet.mapping.network_predictor import NetworkPredictor, load_network
from fgunet.mapping.prediction import NODATA_CONFIDENCE, classify
from fgunet.network import build_fgunet
from fgunet.nomenclature import LandCoverClass, Nomenclature
from fgunet.patches.normalisation import normalise

DATES, BANDS, NODATA = ("20160105", "20160115"), ("B02", "B8A"), 65535
CODES = (11, 44, 222)


def make_series(shape: tuple[int, int]) -> np.ndarray:
    random = np.random.default_rng(1)
    rough = random.random((2, 2, *shape)) * 9000
    return uniform_filter(rough, (0, 0, 3, 3)).astype(np.uint16)


def reader(series: np.ndarray):
    return lambda window: series[(..., *window.slices)]


def whole_map(predictor, series: np.ndarray, core: int) -> tuple[np.ndarray, np.ndarray]:
    shape = series.shape[2:]
    codes, confidence = np.full(shape, 99, np.uint8), np.full(shape, 199, np.uint8)
    for window, *values in classify(predictor, reader(series), shape, core=core, nodata=NODATA):
        codes[window.slices], confidence[window.slices] = values
    return codes, confidence


class Brightness:
    """Class by the sum of a square around the pixel, with a halo that it truly needs."""

    codes = CODES
    halo = 2
    stride = 1

    def __init__(self) -> None:
        self.calls: list[tuple[int, ...]] = []
        self.threads: set[int] = set()

    def predict(self, series: np.ndarray) -> np.ndarray:
        self.calls.append(series.shape)
        self.threads.add(threading.get_ident())
        mean = uniform_filter(series[0, 0].astype(float), 5, mode="constant")
        near = np.stack([-abs(mean - level) for level in (2000, 4000, 6000)])
        return (np.exp(near / 500) / np.exp(near / 500).sum(axis=0)).astype(np.float32)


@pytest.mark.parametrize("core", [5, 16, 33])
def test_map_does_not_depend_on_the_windows(core: int) -> None:
    series = make_series((41, 33))
    expected = whole_map(Brightness(), series, 41)
    for found, wanted in zip(whole_map(Brightness(), series, core), expected, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert set(np.unique(expected[0])) <= set(CODES)
    assert expected[1].max() <= 100


def test_codes_and_confidence_by_hand() -> None:
    class Fixed:
        codes, halo, stride = CODES, 0, 1

        def predict(self, series: np.ndarray) -> np.ndarray:
            return np.array(
                [[[0.2, 0.5, 0.1]], [[0.7, 0.5, 0.1]], [[0.1, 0.0, 0.8]]], dtype=np.float32
            )

    series = np.zeros((1, 2, 1, 3), np.uint16)
    series[0, 1, 0, 2] = NODATA
    codes, confidence = whole_map(Fixed(), series, 8)
    assert codes.tolist() == [[44, 11, 0]]  # the lower code where two are equal; nodata
    assert confidence.tolist() == [[70, 50, 255]]


def test_windows_without_data_are_not_predicted() -> None:
    series = make_series((32, 32))
    series[:, :, :16] = NODATA
    predictor = Brightness()
    codes, confidence = whole_map(predictor, series, 16)
    assert len(predictor.calls) == 2
    assert (codes[:16] == 0).all()
    assert (confidence[:16] == 255).all()
    assert (codes[16:] != 0).all()


def test_each_window_is_read_once_and_in_another_thread() -> None:
    series, reads, readers = make_series((20, 20)), [], set()

    def read(window: Window) -> np.ndarray:
        reads.append(window)
        readers.add(threading.get_ident())
        return series[(..., *window.slices)]

    predictor = Brightness()
    assert len(list(classify(predictor, read, (20, 20), core=10, nodata=NODATA))) == 4
    assert len(reads) == len(set(reads)) == 4
    assert not readers & predictor.threads


def test_error_of_a_read_arrives() -> None:
    def read(window: Window) -> np.ndarray:
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        list(classify(Brightness(), read, (20, 20), core=10, nodata=NODATA))


def make_forest() -> Forest:
    random = np.random.default_rng(2)
    values = random.integers(0, 9000, (200, 4)).astype(np.float32)
    codes = np.array(CODES, np.uint8)[(values[:, 2] // 3001).astype(int)]
    classifier = RandomForestClassifier(6, max_depth=5, random_state=1).fit(values, codes)
    return Forest(classifier, DATES, BANDS, CODES)


def test_forest_map_does_not_depend_on_windows_or_threads() -> None:
    series = make_series((37, 29))
    series[:, :, 3:9, 4:7] = NODATA
    channels = {"dates": DATES, "bands": BANDS, "nodata": NODATA}
    forest = make_forest()
    expected = whole_map(ForestPredictor(forest, **channels), series, 64)
    found = whole_map(ForestPredictor(forest, threads=2, **channels), series, 8)
    np.testing.assert_array_equal(found, expected)
    assert (expected[0][3:9, 4:7] == 0).all()
    pixels = series.reshape(4, -1).T
    by_sklearn = forest.classifier.predict(pixels.astype(np.float32)).reshape(37, 29)
    known = expected[0] != 0
    np.testing.assert_array_equal(expected[0][known], by_sklearn[known])
    shares = forest.classifier.predict_proba(pixels.astype(np.float32)).max(axis=1)
    percent = np.rint(100 * shares).reshape(37, 29)
    np.testing.assert_array_equal(expected[1][known], percent[known])
    assert (expected[1][~known] == NODATA_CONFIDENCE).all()


def test_forest_refuses_another_series() -> None:
    with pytest.raises(ModelError, match="dates"):
        ForestPredictor(make_forest(), dates=DATES[:1], bands=BANDS, nodata=NODATA)


@pytest.fixture(scope="module")
def network():

    keras.utils.set_random_seed(4)
    model = build_fgunet(n_groups=2, dates_per_group=1, n_bands=2, n_classes=3, width=4)
    for weight in model.trainable_variables:  # biases and the head must not be trivial
        noise = np.random.default_rng(len(weight.shape)).normal(0, 0.2, weight.shape)
        weight.assign(weight.numpy() + noise)
    return model


METADATA = {
    "nomenclature": "three classes",
    "dates": list(DATES),
    "bands": list(BANDS),
    "codes": list(CODES),
    "low": [[500.0, 500.0], [500.0, 600.0]],
    "high": [[8000.0, 7000.0], [8000.0, 8500.0]],
    "nodata": NODATA,
}


def network_predictor(model, **changes):

    return NetworkPredictor(model, {**METADATA, **changes}, dates=DATES, bands=BANDS)


@pytest.mark.parametrize("shape", [(80, 96), (81, 99)])
@pytest.mark.parametrize("core", [16, 30])
def test_network_map_does_not_depend_on_the_windows(network, shape, core) -> None:
    series = make_series(shape)
    series[:, :, 10:20, 30:50] = NODATA
    predictor = network_predictor(network)
    assert (predictor.halo, predictor.stride) == (24, 4)
    whole = whole_map(predictor, series, 128)
    np.testing.assert_array_equal(whole_map(predictor, series, core), whole)
    assert len(np.unique(whole[0])) > 2
    assert len(np.unique(whole[1])) > 10


def test_network_probabilities_are_those_of_the_model(network) -> None:

    series = make_series((16, 20))
    image = normalise(series, METADATA["low"], METADATA["high"], NODATA)
    logits = np.asarray(network(image[np.newaxis], training=False))[0].astype(float)
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    found = network_predictor(network).predict(series)
    np.testing.assert_allclose(np.moveaxis(found, 0, -1), expected, atol=1e-5)


def test_network_refuses_what_does_not_fit(network) -> None:
    with pytest.raises(ModelError, match="the dates"):
        network_predictor(network, dates=["20160105", "20160125"])
    with pytest.raises(ModelError, match="the bands"):
        network_predictor(network, bands=["B02", "B03"])
    with pytest.raises(ModelError, match="different trainings"):
        network_predictor(network, codes=[11, 44])

    with pytest.raises(ModelError, match="low"):
        NetworkPredictor(network, {"dates": [], "bands": []}, dates=DATES, bands=BANDS)


def test_network_from_its_files(network, tmp_path) -> None:

    network.save(tmp_path / "model.keras")
    (tmp_path / "metadata.json").write_text(json.dumps(METADATA))
    classes = tuple(LandCoverClass(code, str(code), (0, 0, 0), "") for code in CODES)
    known = Nomenclature("three classes", classes)
    files = tmp_path / "model.keras", tmp_path / "metadata.json"
    loaded = load_network(*files, dates=DATES, bands=BANDS, nomenclature=known)
    series = make_series((24, 24))
    np.testing.assert_array_equal(
        loaded.predict(series), network_predictor(network).predict(series)
    )
    with pytest.raises(ModelError, match="another"):
        load_network(
            *files, dates=DATES, bands=BANDS, nomenclature=Nomenclature("another", classes)
        )
    (tmp_path / "model.keras").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="not a model"):
        load_network(*files, dates=DATES, bands=BANDS)
