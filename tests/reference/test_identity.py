import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from fgunet.reference.identity import feature_keys, key_numbers, part_keys, stable_ids

KEYS = st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=40)


@given(KEYS, st.randoms(use_true_random=False))
def test_numbers_are_distinct_positive_and_do_not_depend_on_order(keys, random):
    ids = dict(zip(keys, stable_ids(keys, bits=6)[0].tolist(), strict=True))
    assert len(set(ids.values())) == len(keys)
    assert all(1 <= number < 64 for number in ids.values())
    shuffled = random.sample(keys, len(keys))
    assert dict(zip(shuffled, stable_ids(shuffled, bits=6)[0].tolist(), strict=True)) == ids


def test_without_collision_a_number_is_the_start_of_its_key():
    keys = [bytes([1, 0, 0, 0]) + bytes(12), bytes([0, 1, 0, 255]) + bytes(12)]
    ids, collided = stable_ids(keys)
    assert ids.tolist() == [1, 255 * 2**24 + 256]
    assert collided == 0


def test_the_smaller_key_keeps_a_contested_number_and_none_is_zero():
    small, large = bytes([5]) + bytes(15), bytes([5]) + bytes(14) + b"\x01"
    ids, collided = stable_ids([large, small])
    assert ids[1] == 5
    assert collided == 1
    assert ids[0] not in (0, 5)
    assert stable_ids([bytes(16)])[0][0] != 0


def test_a_number_depends_on_its_own_key_unless_contested():
    rng = np.random.default_rng(3)
    keys = [rng.bytes(16) for _ in range(3000)]
    ids, collided = stable_ids(keys, bits=24)
    own = np.array([int.from_bytes(key[:3], "little") for key in keys])
    assert (ids != own).sum() == collided
    # 3000^2 / 2 / 2^24 is 0.27 in the mean, so a handful at most.
    assert collided < 6


def test_numbers_of_keys_are_their_first_63_bits():
    keys = np.array([b"\xff" * 16, b"\x01" + bytes(15)], dtype=object)
    assert key_numbers(keys).tolist() == [2**63 - 1, 1]


def test_repeated_keys_are_refused():
    with pytest.raises(ValueError, match="distinct"):
        stable_ids([bytes(16), bytes(16)])


def test_keys_tell_source_value_geometry_and_part_apart():
    box, other = shapely.box(0, 0, 1, 1), shapely.box(0, 0, 1, 2)
    values, shapes = np.array(["a", "b", "a"], dtype=object), np.array([box, box, other])
    keys = [*feature_keys("s", values, shapes), *feature_keys("t", values, shapes)]
    assert len(set(keys)) == 6
    twice = np.array(keys[:1] * 2, dtype=object)
    assert len(set(part_keys(twice, np.array([0, 1])))) == 2
