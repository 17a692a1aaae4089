import json

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import cohen_kappa_score, log_loss
from sklearn.svm import SVC

from fgunet.errors import ModelError, NomenclatureError
from fgunet.forest.classifiers import ForestSettings
from fgunet.forest.model import Forest
from fgunet.forest.samples import Samples
from fgunet.forest.training import train_forest
from fgunet.nomenclature import Nomenclature

# SVC's own probabilities go in scikit-learn 1.11.
pytestmark = pytest.mark.filterwarnings("ignore:The `probability` parameter:FutureWarning")

SMALL = ForestSettings(trees=8, depth=6)


@pytest.fixture
def train(nomenclature: Nomenclature):
    def call(samples: Samples, settings: ForestSettings = SMALL, **options) -> Forest:
        return train_forest(samples, nomenclature, settings, **{"seed": 5, **options})

    return call


def scikit_learn(samples: Samples, trees: int, depth: int) -> RandomForestClassifier:
    """The forest that a user grows by hand."""
    forest = RandomForestClassifier(trees, max_depth=depth, random_state=5, oob_score=True)
    return forest.fit(samples.reflectance, samples.pixels["code"].to_numpy())


def test_without_levels_the_trees_are_scikit_learns(train, samples: Samples) -> None:
    settings = ForestSettings(trees=23, depth=6, levels=None)
    asked = np.random.default_rng(1).integers(0, 9000, (500, 4), dtype=np.uint16)
    expected = scikit_learn(samples, 23, 6).predict_proba(asked)
    for threads in (1, 2):
        forest = train(samples, settings, threads=threads)
        np.testing.assert_array_equal(forest.probabilities(asked.T).T, expected)
        np.testing.assert_array_equal(forest.classifier.predict_proba(asked), expected)


def test_levels_cost_no_accuracy(train, sampled) -> None:
    """Where 300 values of a channel are sorted into 64 levels."""
    known, held_out = sampled(seed=3), sampled(2000, seed=4)
    codes = held_out.pixels["code"].to_numpy()
    kappas = []
    for levels in (None, 64):
        forest = train(known, ForestSettings(trees=40, depth=10, levels=levels))
        votes = forest.probabilities(held_out.reflectance.T)
        kappas.append(cohen_kappa_score(codes, np.array(forest.codes)[votes.argmax(axis=0)]))
    assert min(kappas) > 0.9
    assert abs(kappas[0] - kappas[1]) < 0.02


def test_validation_kappa_is_scikit_learns(train, sampled) -> None:
    known, validation = sampled(seed=3), sampled(400, seed=6)
    forest = train(known, validation=validation)
    codes = validation.pixels["code"].to_numpy()
    given = forest.classifier.predict(validation.reflectance.astype(np.float32))
    assert forest.metadata["score"] == {
        "on": "validation",
        "kappa": pytest.approx(cohen_kappa_score(codes, given), abs=1e-12),
        "pixels": 400,
    }
    # It is told, and changes no tree.
    alone = train(known)
    assert alone.metadata["score"] is None
    assert alone.metadata["calibration"]["temperature"] is None
    assert "no pixel to fit it on" in alone.metadata["calibration"]["remark"]
    np.testing.assert_array_equal(
        alone.probabilities(known.reflectance.T), forest.probabilities(known.reflectance.T)
    )


def best_by_scipy(shares: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """The temperature with the least log loss by scikit-learn, and that loss."""

    def loss(temperature: float) -> float:
        powers = shares ** (1 / temperature)
        return float(log_loss(codes, powers / powers.sum(axis=1, keepdims=True)))

    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-7})
    return best.x, best.fun


@pytest.mark.parametrize("score_on", ["validation", "out_of_bag"])
def test_the_temperature_is_that_of_the_validation_pixels(train, sampled, score_on) -> None:
    known, validation = sampled(seed=3), sampled(100, seed=6)
    settings = ForestSettings(trees=23, depth=6, score_on=score_on)
    forest = train(known, settings, validation=validation)
    found = forest.metadata["calibration"]
    codes = validation.pixels["code"].to_numpy()
    votes = forest.classifier.predict_proba(validation.reflectance.astype(np.float32))
    # One tree more says nothing: a third of a vote for each of three classes.
    temperature, least = best_by_scipy((23 * votes + 1 / 3) / 24, codes)
    assert found["temperature"] == pytest.approx(temperature, rel=1e-4)
    assert found["log_loss_after"] == pytest.approx(least, abs=1e-9)
    assert found["log_loss_after"] < found["log_loss_before"]
    assert (found["pixels"], found["split"]) == (100, "validation")


def test_pixels_of_classes_without_samples_do_not_bear_on_the_temperature(
    train, sampled, caplog
) -> None:
    known, validation = sampled(codes=(11, 222)), sampled(200, seed=6)
    found = train(known, validation=validation).metadata["calibration"]
    absent = int((validation.pixels["code"] == 44).sum())
    assert found["pixels"] == 200 - absent
    assert f"{absent} validation pixels are of classes that the forest cannot give" in caplog.text


def test_out_of_bag_kappa_is_scikit_learns(train, samples: Samples) -> None:
    settings = ForestSettings(trees=23, depth=6, levels=None, score_on="out_of_bag")
    forest = train(samples, settings)
    by_hand = scikit_learn(samples, 23, 6)
    codes = samples.pixels["code"].to_numpy()
    unseen = by_hand.classes_[by_hand.oob_decision_function_.argmax(axis=1)]
    expected = cohen_kappa_score(codes, unseen)
    assert forest.metadata["score"]["kappa"] == pytest.approx(expected, abs=1e-12)
    assert 0.5 < expected < 1
    # Nothing of the score is left in what is saved.
    assert not {"oob_score_", "oob_decision_function_"} & vars(forest.classifier).keys()
    assert forest.classifier.oob_score is False


def test_metadata(train, sampled) -> None:
    found = train(sampled(codes=(11, 222))).metadata
    assert found["codes"] == [11, 222]
    assert found["absent_codes"] == [44]
    assert sum(found["samples"].values()) == 300
    assert found["polygons"] == 30
    importances = np.array(found["feature_importances"])
    assert importances.shape == (2, 2)
    assert importances.sum() == pytest.approx(1)
    assert importances.argmax() == 2
    assert (found["method"], found["workers"], found["threads_per_worker"]) == ("forest", 1, 1)
    assert found["versions"].keys() == {"fgunet", "python", "numpy", "scikit-learn"}
    other = train(sampled(codes=(11, 222)), seed=6).metadata
    assert other["configuration_hash"] != found["configuration_hash"]
    json.dumps(found, allow_nan=False)


def test_threads_change_nothing_but_what_it_took(train, samples: Samples) -> None:
    found = [train(samples, threads=threads).metadata for threads in (1, 2)]
    assert [one.pop("threads_per_worker") for one in found] == [1, 2]
    for one in found:
        assert one.pop("wall_s") >= 0
        assert one.pop("cpu_s") >= 0
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("lightgbm.LGBMClassifier", {"n_estimators": 10, "verbose": -1}),
        ("sklearn.svm.SVC", {"probability": True}),
        ("sklearn.ensemble.ExtraTreesClassifier", {}),
    ],
)
def test_other_classifiers_are_trained_as_by_hand(train, sampled, path: str, parameters) -> None:
    known, asked = sampled(seed=3), sampled(3, seed=9)
    forest = train(known, ForestSettings(path, parameters, trees=10, depth=8), validation=known)
    values, codes = known.reflectance.astype(np.float32), known.pixels["code"].to_numpy()
    by_hand = type(forest.classifier)(**forest.classifier.get_params()).fit(values, codes)
    np.testing.assert_array_equal(
        forest.probabilities(asked.reflectance.T),
        by_hand.predict_proba(asked.reflectance.astype(np.float32)).T,
    )
    assert forest.metadata["score"]["kappa"] > 0.8
    assert 0 < forest.metadata["calibration"]["temperature"] < 20
    # Whatever it was trained on: its job decides how many threads predict.
    assert forest.classifier.get_params().get("n_jobs", 1) == 1
    assert (forest.metadata["feature_importances"] is None) == (path == "sklearn.svm.SVC")
    holes = asked.reflectance.copy()
    holes[1, 3] = 65535
    found = forest.probabilities(holes.T, nodata=65535, threads=2)
    assert (found[:, 1] == 0).all()
    np.testing.assert_allclose(found[:, [0, 2]].sum(axis=0), 1)


def test_in_parallel_another_classifier_sees_each_pixel_once(train, sampled, monkeypatch) -> None:
    monkeypatch.setattr("fgunet.forest.model._CHUNK", 7)
    known = sampled(seed=3)
    forest = train(known, ForestSettings("sklearn.neighbors.KNeighborsClassifier"))
    values = known.reflectance.astype(np.float32)
    expected = forest.classifier.predict_proba(values).T
    found = forest.probabilities(known.reflectance.T, threads=3)
    np.testing.assert_array_equal(found, expected)


def test_wrong_input_is_refused(train, sampled, nomenclature: Nomenclature) -> None:
    forest = train(sampled())
    dates, bands = forest.dates, forest.bands
    forest.require_channels(list(dates), list(bands))
    with pytest.raises(ModelError, match="dates"):
        forest.require_channels(dates[::-1], bands)
    with pytest.raises(ModelError, match="bands"):
        forest.require_channels(dates, ("B02", "B03"))
    with pytest.raises(ModelError, match="4 channels"):
        forest.probabilities(np.zeros((3, 2), np.uint16))
    with pytest.raises(ModelError, match="two classes"):
        train(sampled(codes=(11,)))
    with pytest.raises(NomenclatureError):
        train(sampled(codes=(11, 12)))
    forest.require_nomenclature(nomenclature)
    with pytest.raises(ModelError, match="another"):
        forest.require_nomenclature(Nomenclature("another", nomenclature.classes))


def test_a_class_without_samples_is_named(train, sampled, caplog) -> None:
    train(sampled(codes=(11, 222)))
    assert "44 (class 44): the forest cannot give them" in caplog.text


def test_svm_is_what_the_path_says(train, samples: Samples) -> None:
    settings = ForestSettings("sklearn.svm.SVC", {"probability": True, "C": 3.0})
    classifier = train(samples, settings).classifier
    assert isinstance(classifier, SVC)
    assert classifier.C == 3.0
