"""Classifiers of single pixels by their import path, ready to be trained."""

import importlib
import inspect
from dataclasses import dataclass, field
from typing import Any

from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from fgunet.errors import ModelError


@dataclass(frozen=True)
class ForestSettings:
    """What is trained.

    Attributes
    ----------
    classifier : str
        Import path of the class.
    parameters : dict
        Of the class, by name.
    trees, depth : int
        Number of trees, and most levels of each; of scikit-learn's forests alone.
    levels : int or None
        Levels that a random forest's thresholds are chosen among (`fgunet.forest.levels`).
    score_on : {"validation", "out_of_bag"}
        What kappa is told of.
    """

    classifier: str = "sklearn.ensemble.RandomForestClassifier"
    parameters: dict[str, Any] = field(default_factory=dict)
    trees: int = 100
    depth: int = 25
    levels: int | None = 256
    score_on: str = "validation"


def load_class(import_path: str) -> type[Any]:
    """The class that an import path names.

    Raises
    ------
    ModelError
        If it cannot be imported, or is no class with a `fit`.
    """
    module, _, name = import_path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ModelError(
            f"forest.classifier {import_path!r} cannot be imported ({error}); install its package "
            "in the environment of the workflow, or correct the path"
        ) from error
    if not inspect.isclass(found) or not hasattr(found, "fit"):
        raise ModelError(
            f"forest.classifier {import_path!r} is no class of a classifier; name one with the "
            "interface of scikit-learn's, such as sklearn.ensemble.RandomForestClassifier"
        )
    return found


def make_classifier(settings: ForestSettings, seed: int) -> Any:
    """A classifier that is not trained yet.

    Parameters
    ----------
    settings : ForestSettings
        What it is.
    seed : int
        Its ``random_state``, where it has one.

    Returns
    -------
    object
        With the interface of scikit-learn's classifiers.

    Raises
    ------
    ModelError
        If the class cannot be imported, does not take the parameters, gives no probabilities, or
        lacks the score that is asked for.
    """
    found = load_class(settings.classifier)
    given = _parameters(settings, is_forest_class(found))
    try:
        classifier = found(**given)
        if "random_state" in classifier.get_params():
            classifier.set_params(random_state=seed)
        # By itself scikit-learn looks at values only as it trains, after all series are stacked.
        if hasattr(classifier, "_parameter_constraints"):
            classifier._validate_params()
    except (TypeError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{settings.classifier} does not take forest.parameters {settings.parameters}: {error}"
        ) from error
    if not hasattr(classifier, "predict_proba"):
        raise ModelError(
            f"{settings.classifier} with {settings.parameters} has no predict_proba, which "
            "confidence comes from; take another classifier, or parameters that give it one (SVC "
            "has it with probability: true)"
        )
    if settings.score_on == "out_of_bag" and not getattr(classifier, "bootstrap", False):
        raise ModelError(
            f"{settings.classifier} with {settings.parameters} leaves no training pixels out, so "
            "it has no out-of-bag score; set forest.score_on to validation"
        )
    return classifier


def _parameters(settings: ForestSettings, is_forest: bool) -> dict[str, Any]:
    """The parameters of the class, those of forests that have a key of their own included."""
    elsewhere = {"random_state": "seed", "n_jobs": "the threads of the rule train_forest"}
    own = {}
    if is_forest:
        own = {"n_estimators": settings.trees, "max_depth": settings.depth}
        elsewhere |= {"n_estimators": "forest.trees", "max_depth": "forest.depth"}
        elsewhere |= {"oob_score": "forest.score_on", "warm_start": "the growing of the trees"}
    twice = [f"{name} ({by})" for name, by in elsewhere.items() if name in settings.parameters]
    if twice:
        raise ModelError(
            f"forest.parameters has what is set elsewhere: {', '.join(twice)}; take it out"
        )
    return own | settings.parameters


def is_forest_class(found: type[Any]) -> bool:
    """Whether a class is one of scikit-learn's forests, whose trees this library follows itself."""
    return found in (RandomForestClassifier, ExtraTreesClassifier)
