import json
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest

from fgunet.errors import ModelError
from fgunet.mapping.decision import Layers
from fgunet.mapping.network_predictor import NetworkPredictor, load_network
from fgunet.mapping.prediction import classify
from fgunet.mapping.windows import plan_windows
from fgunet.network import build_fgunet
from fgunet.nomenclature import Nomenclature
from fgunet.patches.normalisation import normalise
from tests.mapping.predictors import (
    BANDS,
    CLASSES,
    CODES,
    DATES,
    METADATA,
    NODATA,
    ArraySeries,
    make_values,
)

SERIES = {"dates": DATES, "bands": BANDS, "nodata": NODATA}


@pytest.fixture(scope="module")
def network():
    keras.utils.set_random_seed(4)
    model = build_fgunet(n_groups=2, dates_per_group=1, n_bands=2, n_classes=3, width=4)
    for weight in model.trainable_variables:  # biases and the head must not be trivial
        noise = np.random.default_rng(len(weight.shape)).normal(0, 0.2, weight.shape)
        weight.assign(weight.numpy() + noise)
    return model


@pytest.fixture(scope="module")
def files(network, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    network.save(folder / "model.keras")
    (folder / "metadata.json").write_text(json.dumps(METADATA))
    return folder / "model.keras", folder / "metadata.json"


def by_windows(predictor, series, core, halo=None) -> tuple[np.ndarray, np.ndarray, int]:
    shape = series.grid.shape
    codes, probabilities = np.zeros(shape, np.uint8), np.zeros((3, *shape), np.float16)
    ties = 0

    def write(window, decided) -> None:
        nonlocal ties
        codes[window.slices] = decided.codes
        probabilities[(..., *window.slices)] = decided.probabilities
        ties += decided.ties

    halo = predictor.halo if halo is None else halo
    windows = plan_windows(shape, core=core, halo=halo, stride=predictor.stride)
    layers = Layers(probabilities="float16")
    classify(predictor, series.read, windows, write, nodata=NODATA, layers=layers)
    return codes, probabilities, ties


@pytest.mark.parametrize("shape", [(80, 96), (81, 99), (7, 150)])
@pytest.mark.parametrize("core", [16, 37, 64])
def test_windows_of_any_size_give_the_map_of_the_whole_image(network, shape, core):
    values = make_values(shape)
    values[:, :, 3:6, 30:50] = NODATA
    series = ArraySeries(values)
    predictor = NetworkPredictor(network, METADATA, **SERIES)
    assert (predictor.halo, predictor.stride, predictor.exact) == (24, 4, True)
    codes, probabilities, ties = by_windows(predictor, series, core)
    whole = np.where((values == NODATA).any(axis=(0, 1)), np.nan, predictor.predict(values))
    np.testing.assert_allclose(probabilities, whole, atol=1e-3)  # float16 keeps eleven bits
    known = ~np.isnan(whole[0])
    expected = np.array(CODES)[np.nan_to_num(whole).argmax(axis=0)]
    assert (codes[known] != expected[known]).sum() <= ties
    assert ties <= 2
    assert (codes[~known] == 0).all()
    assert len(np.unique(codes)) > 2


def test_bfloat16_is_near_and_not_exact(network):
    values = make_values((80, 96))
    exact = NetworkPredictor(network, METADATA, **SERIES).predict(values)
    rounding = NetworkPredictor(network, METADATA, precision="bfloat16", **SERIES)
    assert not rounding.exact
    found = rounding.predict(values)
    assert found.dtype == np.float32
    assert 0 < np.abs(found - exact).mean() < 0.01
    _, by_windows_of_it, _ = by_windows(rounding, ArraySeries(values), 16)
    assert np.abs(found - by_windows_of_it).mean() < 0.01


def test_windows_change_probabilities_by_rounding_alone(network):
    values = make_values((100, 100))
    predictor = NetworkPredictor(network, METADATA, **SERIES)
    whole = predictor.predict(values)
    for window in plan_windows((100, 100), core=28, halo=24, stride=4):
        inside = (..., *window.core.relative_to(window.read).slices)
        found = predictor.predict(values[(..., *window.read.slices)])[inside]
        np.testing.assert_allclose(found, whole[(..., *window.core.slices)], atol=1e-5)


def test_a_smaller_halo_changes_pixels(network):
    series = ArraySeries(make_values((100, 100)))
    predictor = NetworkPredictor(network, METADATA, **SERIES)
    exact, near, _ = by_windows(predictor, series, 20)
    _, cut, _ = by_windows(predictor, series, 20, halo=4)
    assert np.abs(near.astype(float) - cut).max() > 1e-3
    assert exact.all()


def test_probabilities_are_those_of_the_model(network):
    values = make_values((16, 20))
    image = normalise(values, METADATA["low"], METADATA["high"], NODATA)
    logits = np.asarray(network(image[np.newaxis], training=False))[0].astype(float)
    expected = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    found = NetworkPredictor(network, METADATA, **SERIES).predict(values)
    np.testing.assert_allclose(np.moveaxis(found, 0, -1), expected, atol=1e-5)


def test_any_number_of_threads_gives_the_same_probabilities(files, tmp_path):
    values = make_values((60, 72))
    np.save(tmp_path / "values.npy", values)
    code = (
        "import sys, numpy as np\n"
        "from fgunet.mapping.network_predictor import load_network\n"
        "model, metadata, values, out, threads = sys.argv[1:]\n"
        f"predictor = load_network(model, metadata, **{SERIES!r}, threads=int(threads))\n"
        "np.save(out, predictor.predict(np.load(values)))\n"
    )
    found = []
    for threads in "1", "3":
        out = tmp_path / f"{threads}.npy"
        command = [sys.executable, "-c", code, *files, tmp_path / "values.npy", out, threads]
        subprocess.run(command, check=True, capture_output=True)
        found.append(np.load(out))
    np.testing.assert_allclose(found[0], found[1], atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dates": ["20160105", "20160125"]}, r"\(dates: 20160115 instead of 20160125\)"),
        ({"bands": ["B02", "B03"]}, r"\(bands: B8A instead of B03\)"),
        ({"nodata": 0}, r"\(nodata: 65535 instead of 0\)"),
        ({"codes": [11, 44]}, "different trainings"),
        ({"low": [[1.0, 2.0]]}, "different trainings"),
    ],
)
def test_what_does_not_fit_is_refused(network, changes, message):
    with pytest.raises(ModelError, match=message):
        NetworkPredictor(network, {**METADATA, **changes}, **SERIES)


def test_metadata_that_lack_something_are_refused(network):
    with pytest.raises(ModelError, match="low"):
        NetworkPredictor(network, {"dates": [], "bands": []}, **SERIES)


def test_a_network_from_its_files(network, files):
    loaded = load_network(*files, nomenclature=CLASSES, **SERIES)
    values = make_values((24, 24))
    expected = NetworkPredictor(network, METADATA, **SERIES).predict(values)
    np.testing.assert_array_equal(loaded.predict(values), expected)
    with pytest.raises(ModelError, match="another"):
        load_network(*files, nomenclature=Nomenclature("another", CLASSES.classes), **SERIES)


@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.6, 0.9, 0.999])
def test_a_model_file_cut_short_is_refused(files, tmp_path, share):
    content = files[0].read_bytes()
    cut = tmp_path / "model.keras"
    cut.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ModelError, match=r"model\.keras is not a model of this library"):
        load_network(cut, files[1], **SERIES)


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
@pytest.mark.parametrize("content", [None, b"nothing", b"[" * 100_000])
def test_a_damaged_model_file_is_refused(files, tmp_path, member, content):
    damaged = tmp_path / "model.keras"
    with zipfile.ZipFile(files[0]) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            if name != member:
                target.writestr(name, source.read(name))
            elif content is not None:
                target.writestr(name, content)
    with pytest.raises(ModelError, match=r"model\.keras is not a model of this library"):
        load_network(damaged, files[1], **SERIES)


def test_a_model_without_layers_is_refused(files, tmp_path):
    keras.Sequential().save(tmp_path / "model.keras")
    with pytest.raises(ModelError, match="belong to different trainings"):
        load_network(tmp_path / "model.keras", files[1], **SERIES)
