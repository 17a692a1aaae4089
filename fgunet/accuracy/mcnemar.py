"""McNemar's test: the polygons that one method alone gets right."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest


def mcnemar(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> dict[str, Any]:
    """McNemar's exact test: a binomial test on the cases that one method alone gets right.

    Parameters
    ----------
    first, second : ndarray of bool, (p,)
        Whether each method is right, case by case.

    Returns
    -------
    dict
        both_right, only_first, only_second, both_wrong, p_value (two-sided; None where the
        methods never differ).
    """
    only_first = int(np.count_nonzero(first & ~second))
    only_second = int(np.count_nonzero(second & ~first))
    differ = only_first + only_second
    return {
        "both_right": int(np.count_nonzero(first & second)),
        "only_first": only_first,
        "only_second": only_second,
        "both_wrong": int(np.count_nonzero(~first & ~second)),
        "p_value": float(binomtest(only_first, differ).pvalue) if differ else None,
    }
