import numpy as np
import pytest
from scipy.stats import binomtest

from fgunet.accuracy.mcnemar import mcnemar


def test_mcnemar_by_hand():
    first = np.array([True] * 9 + [False] * 3 + [True] * 5)
    second = np.array([False] * 9 + [True] * 3 + [True] * 5)
    result = mcnemar(first, second)
    assert (result["only_first"], result["only_second"], result["both_right"]) == (9, 3, 5)
    # Two-sided: 2 (C(12,0) + C(12,1) + C(12,2) + C(12,3)) / 2^12.
    assert result["p_value"] == pytest.approx(2 * (1 + 12 + 66 + 220) / 4096)
    assert result["p_value"] == pytest.approx(binomtest(3, 12).pvalue)


def test_methods_that_never_differ_have_no_p_value():
    same = np.array([True, False, True])
    assert mcnemar(same, same)["p_value"] is None
