import threading

import pytest

from fgunet.training.prefetch import prefetched


def test_values_come_in_order_from_another_thread():
    threads = set()

    def make(key):
        threads.add(threading.get_ident())
        return key * 2

    assert list(prefetched(make, range(20))) == list(range(0, 40, 2))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_no_more_is_made_ahead_than_asked():
    made = []
    values = prefetched(made.append, range(10), depth=2)
    next(values)
    values.close()
    assert len(made) <= 3


def test_an_error_is_raised_in_its_place():
    def make(key):
        return 1 / key

    values = prefetched(make, [1, 0])
    assert next(values) == 1
    with pytest.raises(ZeroDivisionError):
        next(values)
