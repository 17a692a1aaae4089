import threading
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgunet.errors import TrainingError
from fgunet.training.prefetch import prefetched


def prefetch_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("prefetch")]


def test_values_come_from_other_threads():
    idents = set()

    def make(key):
        idents.add(threading.get_ident())
        return key * 2

    assert list(prefetched(make, range(20))) == list(range(0, 40, 2))
    assert len(idents) == 1
    assert threading.get_ident() not in idents


@settings(max_examples=30)
@given(
    delays=st.lists(st.integers(0, 3), max_size=12),
    depth=st.integers(1, 5),
    threads=st.integers(1, 4),
)
def test_values_come_in_order_however_long_each_takes(delays, depth, threads):
    def make(number):
        time.sleep(delays[number] / 2000)
        return number

    found = list(prefetched(make, range(len(delays)), depth=depth, threads=threads))
    assert found == list(range(len(delays)))
    assert not prefetch_threads()


def test_so_many_are_made_at_once():
    together = threading.Barrier(3, timeout=30)
    # Each waits for two others: with fewer threads none would come.
    values = prefetched(lambda key: together.wait() and key, range(9), depth=3, threads=3)
    assert len(list(values)) == 9


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_no_more_is_made_ahead_than_asked(threads):
    made = []
    values = prefetched(made.append, range(100), depth=2, threads=threads)
    next(values)
    time.sleep(0.05)
    assert len(made) <= 3
    values.close()
    assert len(made) <= 3
    assert not prefetch_threads()


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_is_raised_in_its_place(threads):
    values = prefetched(lambda key: 1 / key, [1, 2, 0, 4], depth=4, threads=threads)
    assert [next(values), next(values)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(values)
    assert not prefetch_threads()
    with pytest.raises(StopIteration):
        next(values)


def test_threads_end_when_the_consumer_fails():
    with suppress(KeyError):
        for _ in prefetched(lambda key: key, range(100), depth=4, threads=2):
            raise KeyError
    assert not prefetch_threads()


def test_keys_that_fail_do_so_in_the_consumer():
    def keys():
        yield 1
        raise KeyError(threading.current_thread().name)

    with pytest.raises(KeyError, match=threading.current_thread().name):
        list(prefetched(lambda key: key, keys(), threads=2))
    assert not prefetch_threads()


@pytest.mark.parametrize("how", [{"depth": 0}, {"threads": 0}])
def test_at_least_one_at_a_time(how):
    with pytest.raises(TrainingError, match="take at least 1"):
        next(prefetched(lambda key: key, [1], **how))
