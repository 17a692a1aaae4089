"""Tables of the models, with plain numbers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fgunet.accuracy.scores import map_scores

_MODEL = {
    "parameters": ("Int64", ("n_parameters",)),
    "trees": ("Int64", ("trees", "n_trees")),
    "epochs": ("Int64", ("epochs",)),
    "best_epoch": ("Int64", ("best_epoch",)),
    "validation_kappa": ("float64", ("best_validation_kappa", "validation_kappa")),
    "out_of_bag_kappa": ("float64", ("out_of_bag_kappa",)),
}


def model_table(metadata: Mapping[str, Mapping[str, Any]], methods: Sequence[str]) -> pd.DataFrame:
    """What the models grew to.

    Parameters
    ----------
    metadata : mapping
        Metadata of each method's model; a method without is left out.
    methods : sequence of str
        Order of the rows.

    Returns
    -------
    pandas.DataFrame
        One row a method: method : str; parameters, trees, epochs, best_epoch : Int64;
        validation_kappa, out_of_bag_kappa : float64. NA where the model does not tell.
    """
    rows = [
        {"method": method, **{name: _first(document, keys) for name, (_, keys) in _MODEL.items()}}
        for method in methods
        if (document := metadata.get(method))
    ]
    table = pd.DataFrame(rows, columns=["method", *_MODEL])
    return table.astype({name: kind for name, (kind, _) in _MODEL.items()})


def _first(document: Mapping[str, Any], keys: Sequence[str]) -> Any:
    score = document.get("score") or {}
    scored = {f"{score.get('on')}_kappa": score.get("kappa")}
    flat = {**document.get("parameters", {}), **scored, **document}
    return next((flat[key] for key in keys if flat.get(key) is not None), None)


def truth_table(truth: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Scores of the maps against the whole truth of a simulated world.

    Parameters
    ----------
    truth : iterable of mapping
        One a tile and method: tile, method, confusion (pixels; rows truth, columns map), in the
        order of the rows.

    Returns
    -------
    pandas.DataFrame
        One row a method over all tiles ("pooled"), then one a tile and method: tile, method : str;
        pixels : int64; the scores of `fgunet.accuracy.scores.map_scores` : float64, NaN where
        undefined.
    """
    found = [(str(t["tile"]), str(t["method"]), np.array(t["confusion"])) for t in truth]
    methods = list(dict.fromkeys(method for _, method, _ in found))
    pooled = [
        ("pooled", own, np.sum([each for _, m, each in found if m == own], axis=0))
        for own in methods
    ]
    rows = [
        {
            "tile": tile,
            "method": method,
            "pixels": int(matrix.sum()),
            **{name: float(score) for name, score in map_scores(matrix).items()},
        }
        for tile, method, matrix in [*pooled, *found]
    ]
    return pd.DataFrame(rows)
