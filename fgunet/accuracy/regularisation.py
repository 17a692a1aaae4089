"""Maps as they are and after a majority filter, the same for every method."""

from collections.abc import Mapping, Sequence

import pandas as pd

from fgunet.accuracy.confusion import Confusion
from fgunet.accuracy.tables import main_scores, tabulate
from fgunet.nomenclature import Nomenclature

NONE, MAJORITY = "none", "majority"
"""Names of the regularisations."""


def regularisation_table(
    pooled: Mapping[str, Sequence[Confusion]],
    nomenclature: Nomenclature,
    *,
    focus_group: str | None,
    samples: int,
    seed: int,
) -> pd.DataFrame:
    """The main scores after each regularisation, with 95 % bootstrap intervals by polygon.

    Parameters
    ----------
    pooled : mapping of str to sequence of Confusion
        Confusions over all tiles, one a method, by the name of the regularisation.
    nomenclature : Nomenclature
        The classes.
    focus_group : str or None
        Group of classes that gets a score of its own; ignored where the nomenclature lacks it.
    samples, seed : int
        Of the bootstrap.

    Returns
    -------
    pandas.DataFrame
        One row a regularisation and method: regularisation, method, polygons, pixels, unmapped,
        and kappa, overall_accuracy, macro_f and, of a focus group, group_f, each with
        <score>_lower and <score>_upper. Undefined is NaN.

    Raises
    ------
    AccuracyError
        If `samples` is not positive.
    """
    tables = []
    for name, confusions in pooled.items():
        summary, _ = tabulate(
            confusions, nomenclature, focus_group=focus_group, samples=samples, seed=seed
        )
        tables.append(summary.assign(regularisation=name))
    table = pd.concat(tables, ignore_index=True)
    about = ["regularisation", "method", "polygons", "pixels", "unmapped"]
    return table[[*about, *main_scores(table)]]
