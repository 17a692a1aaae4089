import pytest

from fgunet.report.wording import decimals, signed


@pytest.mark.parametrize(
    ("value", "text"),
    [(-0.5, "−0.500"), (-0.0004, "0.000"), (0.0004, "0.000"), (float("nan"), "–"), (None, "–")],
)
def test_what_rounds_to_nothing_has_no_sign(value, text):
    assert decimals(value) == text
    assert signed(value) == text


def test_a_difference_above_nothing_has_its_sign():
    assert signed(0.0006) == "+0.001"
    assert signed(12.34, 1) == "+12.3"
