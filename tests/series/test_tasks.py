import threading
import time

import pytest

from fgunet.series.tasks import Tasks


def test_calls_get_the_results_of_others():
    tasks = Tasks(2)
    numbers = [tasks.add(lambda n: n * n, n) for n in range(4)]
    total = tasks.add(lambda *values: sum(values), *numbers)
    assert tasks.results([total, numbers[3]]) == [14, 9]


def test_two_calls_are_made_at_once_and_no_more():
    working, most, lock = 0, 0, threading.Lock()

    def work(_):
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        time.sleep(0.05)
        with lock:
            working -= 1

    tasks = Tasks(2)
    tasks.results([tasks.add(work, n) for n in range(6)])
    assert most == 2


def test_after_an_error_nothing_is_begun_and_nothing_is_at_work():
    begun, ended = [], []

    def work(n):
        begun.append(n)
        if n == begun[0]:
            raise ValueError("broken")
        time.sleep(0.05)
        ended.append(n)

    tasks = Tasks(2)
    with pytest.raises(ValueError, match="broken"):
        tasks.results([tasks.add(work, n) for n in range(8)])
    assert len(begun) <= 3
    assert sorted(ended) == sorted(begun[1:])
