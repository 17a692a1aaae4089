import pytest

from fgunet.patches.wording import differences, listed


@pytest.mark.parametrize(
    ("items", "expected"), [("", ""), ("abc", "a, b, c"), ("abcdefgh", "a, b, c, d, e, 3 more")]
)
def test_long_lists_are_cut(items, expected):
    assert listed(list(items)) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("abc", ""),
        ("ab", "bands: c missing"),
        ("abcd", "bands: d too many"),
        ("abx", "bands: x instead of c"),
        ("acb", "bands: in the order a, c, b instead of a, b, c"),
        ("abcc", "bands: in the order a, b, c, c instead of a, b, c"),
    ],
)
def test_what_differs_is_told_and_no_more(found, expected):
    same = {"dates": ("1", "2")}
    assert differences({**same, "bands": tuple(found)}, {**same, "bands": list("abc")}) == expected


def test_all_that_differs_is_told():
    found, expected = {"dates": "1", "bands": "a"}, {"dates": "2", "bands": "b"}
    assert differences(found, expected) == "dates: 1 instead of 2; bands: a instead of b"
