import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fgunet.mapping.decision import Layers, decide, nothing

CODES = (11, 44, 222)
ALL = Layers(margin=True, probabilities="uint8")


def column(*values: float) -> np.ndarray:
    return np.array(values, np.float32).reshape(-1, 1, 1)


def test_what_a_map_says_by_hand() -> None:
    probabilities = np.array(
        [[[0.2, 0.5, 0.1]], [[0.7, 0.5, 0.1]], [[0.1, 0.0, 0.8]]], dtype=np.float32
    )
    missing = np.array([[False, False, True]])
    decided = decide(probabilities, CODES, missing, ALL)
    assert decided.codes.tolist() == [[44, 11, 0]]  # the lower code where two are equal
    assert decided.confidence.tolist() == [[70, 50, 255]]
    assert decided.margin.tolist() == [[50, 0, 255]]
    assert decided.probabilities[:, 0].tolist() == [[20, 50, 255], [70, 50, 255], [10, 0, 255]]
    assert decided.ties == 1
    halves = decide(probabilities, CODES, missing, Layers(probabilities="float16"))
    assert halves.margin is None
    assert halves.probabilities.dtype == np.float16
    np.testing.assert_array_equal(halves.probabilities[:, 0, 0], np.float16([0.2, 0.7, 0.1]))
    assert np.isnan(halves.probabilities[:, 0, 2]).all()
    plain = decide(probabilities, CODES, missing, Layers())
    assert plain.margin is None
    assert plain.probabilities is None


def test_a_temperature_changes_what_is_said_and_not_what_is_chosen() -> None:
    probabilities, missing = np.array([[[0.8, 0.5]], [[0.2, 0.5]]]), np.zeros((1, 2), bool)
    squared = Layers(margin=True, probabilities="uint8", temperature=0.5)
    decided = decide(probabilities, (11, 44), missing, squared)
    assert decided.codes.tolist() == [[11, 11]]
    assert decided.confidence.tolist() == [[94, 50]]  # 0.64 of 0.68
    assert decided.margin.tolist() == [[88, 0]]
    assert decided.probabilities[:, 0].tolist() == [[94, 50], [6, 50]]
    assert decided.ties == 1


@given(
    arrays(np.float32, (3, 2, 4), elements=st.floats(0, 1, width=32)),
    arrays(np.bool_, (2, 4)),
    st.floats(0.05, 20),
)
def test_classes_and_ties_do_not_depend_on_the_temperature(
    probabilities: np.ndarray, missing: np.ndarray, temperature: float
) -> None:
    plain = decide(probabilities, CODES, missing, Layers())
    found = decide(probabilities, CODES, missing, Layers(temperature=temperature))
    np.testing.assert_array_equal(found.codes, plain.codes)
    assert found.ties == plain.ties
    assert (found.confidence[missing] == 255).all()


@pytest.mark.parametrize(("lead", "ties"), [(0.9e-5, 1), (1.1e-5, 0)])
def test_a_tie_is_a_lead_within_rounding(lead: float, ties: int) -> None:
    probabilities = np.array([0.4, 0.4 + lead, 0.2 - lead]).reshape(3, 1, 1)
    assert decide(probabilities, CODES, np.zeros((1, 1), bool), Layers()).ties == ties
    assert decide(probabilities, CODES, np.ones((1, 1), bool), Layers()).ties == 0


def test_one_class_has_nothing_behind_it() -> None:
    decided = decide(column(1.0), (51,), np.zeros((1, 1), bool), ALL)
    assert (decided.codes.item(), decided.confidence.item()) == (51, 100)
    assert (decided.margin.item(), decided.ties) == (100, 0)


@given(
    arrays(np.float32, (4, 3, 5), elements=st.floats(0, 1, width=32)),
    arrays(np.bool_, (3, 5)),
)
def test_margin_and_confidence_are_of_the_sorted_probabilities(
    probabilities: np.ndarray, missing: np.ndarray
) -> None:
    decided = decide(probabilities, (1, 2, 3, 4), missing, ALL)
    ordered = np.sort(probabilities, axis=0)
    first, lead = (np.rint(100 * each) for each in (ordered[3], ordered[3] - ordered[2]))
    np.testing.assert_array_equal(decided.confidence, np.where(missing, 255, first))
    np.testing.assert_array_equal(decided.margin, np.where(missing, 255, lead))
    label = np.clip(decided.codes, 1, None) - 1
    chosen = np.take_along_axis(probabilities, label[np.newaxis].astype(int), axis=0)[0]
    np.testing.assert_array_equal(chosen[~missing], ordered[3][~missing])


def test_nothing_is_said_without_data() -> None:
    decided = nothing((2, 3), 3, ALL)
    assert (decided.codes == 0).all()
    for layer in decided.confidence, decided.margin, decided.probabilities:
        assert (layer == 255).all()
    assert decided.probabilities.shape == (3, 2, 3)
    assert decided.ties == 0
