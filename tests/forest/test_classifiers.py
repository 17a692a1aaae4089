import pytest
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.svm import SVC

from fgunet.errors import ModelError
from fgunet.forest.classifiers import ForestSettings, make_classifier


def test_the_default_is_the_forest_of_scikit_learn() -> None:
    forest = make_classifier(ForestSettings(), seed=7)
    assert type(forest) is RandomForestClassifier
    assert (forest.n_estimators, forest.max_depth, forest.random_state) == (100, 25, 7)
    assert forest.max_features == "sqrt"
    settings = ForestSettings(parameters={"min_samples_leaf": 3}, trees=5, depth=2)
    forest = make_classifier(settings, seed=7)
    assert (forest.n_estimators, forest.max_depth, forest.min_samples_leaf) == (5, 2, 3)


def test_other_classifiers_by_their_import_path() -> None:
    found = make_classifier(
        ForestSettings("lightgbm.LGBMClassifier", {"n_estimators": 9, "verbose": -1}), seed=3
    )
    assert isinstance(found, LGBMClassifier)
    assert (found.n_estimators, found.random_state) == (9, 3)
    found = make_classifier(ForestSettings("sklearn.svm.SVC", {"probability": True}), seed=3)
    assert isinstance(found, SVC)
    # Without a random state there is nothing to seed.
    make_classifier(ForestSettings("sklearn.neighbors.KNeighborsClassifier"), seed=3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ForestSettings("no_such_package.Forest"), "cannot be imported.*install its package"),
        (ForestSettings("sklearn.ensemble.NoForest"), "cannot be imported"),
        (ForestSettings("json.dumps"), "is no class of a classifier"),
        (ForestSettings("collections.OrderedDict"), "is no class of a classifier"),
        (ForestSettings("sklearn.svm.SVC"), "has no predict_proba.*probability: true"),
        (ForestSettings("sklearn.svm.LinearSVC"), "has no predict_proba"),
        (ForestSettings(parameters={"leaves": 3}), "does not take forest.parameters.*leaves"),
        (ForestSettings(parameters={"min_samples_leaf": -5}), "does not take.*min_samples_leaf"),
        (ForestSettings(parameters={"criterion": "evil"}), "does not take.*'criterion'.*'gini'"),
        (ForestSettings(parameters={"n_estimators": 3}), r"n_estimators \(forest.trees\)"),
        (ForestSettings(parameters={"n_jobs": 3}), "n_jobs"),
        (ForestSettings("lightgbm.LGBMClassifier", {"random_state": 1}), r"random_state \(seed\)"),
        (ForestSettings(parameters={"bootstrap": False}, score_on="out_of_bag"), "out-of-bag"),
        (ForestSettings("lightgbm.LGBMClassifier", score_on="out_of_bag"), "out-of-bag"),
    ],
)
def test_what_cannot_be_trained_is_refused(settings: ForestSettings, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make_classifier(settings, seed=1)
