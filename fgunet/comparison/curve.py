"""Learning curves: accuracy against the polygons that were learned from."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.tables import main_scores, tabulate
from fgunet.comparison.pool import in_budget
from fgunet.nomenclature import Nomenclature


def learning_curve(
    budgets: Mapping[float, Sequence[Confusion]],
    polygons: pd.DataFrame,
    nomenclature: Nomenclature,
    *,
    focus_group: str | None,
    samples: int,
    seed: int,
) -> pd.DataFrame:
    """Scores of the methods at each budget.

    Parameters
    ----------
    budgets : mapping of float to sequence of Confusion
        At each budget, one confusion a method, of all tiles; 1 is the run itself.
    polygons : pandas.DataFrame
        The training polygons: code, pixels, enters.
    nomenclature : Nomenclature
        The classes.
    focus_group : str or None
        Group of classes with a score of its own.
    samples, seed : int
        Of the bootstrap that gives the 95 % intervals, by polygon.

    Returns
    -------
    pandas.DataFrame
        A row a budget and method, by rising budget: budget, method, polygons (that it holds),
        pixels (their training pixels), and each score with <score>_lower and <score>_upper.
    """
    parts = []
    for budget, confusions in sorted(budgets.items()):
        scores, _ = tabulate(
            confusions, nomenclature, focus_group=focus_group, samples=samples, seed=seed
        )
        held = polygons[in_budget(polygons, budget)]
        part = scores[["method", *main_scores(scores)]]
        part.insert(0, "budget", budget)
        part.insert(2, "polygons", len(held))
        part.insert(3, "pixels", int(held["pixels"].sum()))
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
