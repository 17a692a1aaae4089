import os
import shutil
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import module_from_spec, spec_from_file_location

import numpy as np
import pytest

from fgunet.compiled import compiled

SOURCE = """
import numpy as np
from fgunet.compiled import compiled

STEP = 3

@compiled
def next_of(number):
    return number + STEP

@compiled
def advance(numbers):
    for i in range(numbers.size):
        numbers[i] = next_of(numbers[i])

def result():
    numbers = np.arange(4)
    advance(numbers)
    return numbers.tolist()
"""
ADVANCED = [3, 4, 5, 6]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "steps" / "kernel.py"
    path.parent.mkdir()
    path.write_text(SOURCE, encoding="utf-8")
    return path


def loaded(path):
    spec = spec_from_file_location("kernel", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cached(folder):
    return sorted(path.name for path in folder.glob("*.nbc"))


def start(path, code="print(kernel.result())", **environment):
    return subprocess.Popen(
        [sys.executable, "-c", f"import kernel\n{textwrap.dedent(code)}"],
        cwd=path.parent,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def printed(process):
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return out.strip()


def test_code_is_kept_beside_the_source_and_used_again(source):
    first, second = loaded(source), loaded(source)
    assert first.result() == second.result() == ADVANCED
    assert len(cached(source.parent / "__pycache__")) == 1
    assert list(first.advance._kept.stats.cache_hits.values()) == []
    assert list(second.advance._kept.stats.cache_hits.values()) == [1]


def test_other_source_has_other_files(source):
    """So a process that still runs the former release neither takes this code nor gives its own."""
    loaded(source).result()
    before = cached(source.parent / "__pycache__")
    source.write_text(SOURCE.replace("STEP = 3", "STEP = 5"), encoding="utf-8")
    for bytecode in source.parent.rglob("*.pyc"):
        bytecode.unlink()
    assert loaded(source).result() == [5, 6, 7, 8]
    after = cached(source.parent / "__pycache__")
    assert set(before) < set(after)


def test_the_users_folder_is_taken_if_named(source, tmp_path):
    kept = tmp_path / "kept"
    assert printed(start(source, NUMBA_CACHE_DIR=str(kept))) == str(ADVANCED)
    assert len(list(kept.rglob("*.nbc"))) == 1
    assert not cached(source.parent / "__pycache__")


def test_where_nothing_can_be_written_it_works_all_the_same(source, tmp_path):
    """A file stands where each folder would be, which stops the superuser as well."""
    (source.parent / "__pycache__").write_text("")
    blocked = tmp_path / "file"
    blocked.write_text("")
    place = str(blocked / "cache")
    environment = {"HOME": place, "XDG_CACHE_HOME": place, "NUMBA_CACHE_DIR": place}
    assert printed(start(source, **environment)) == str(ADVANCED)


def test_a_folder_that_fails_later_does_no_harm(source):
    kernel = loaded(source)
    kernel.advance._kept = kernel.advance._with_files()
    assert kernel.advance._kept is not None
    folder = source.parent / "__pycache__"
    shutil.rmtree(folder)
    folder.write_text("")
    assert kernel.result() == ADVANCED


def test_processes_and_threads_may_come_together(source):
    code = """
        from concurrent.futures import ThreadPoolExecutor
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _: kernel.result(), range(8)))
        print(all(result == results[0] for result in results), results[0])
    """
    processes = [start(source, code) for _ in range(3)]
    assert [printed(process) for process in processes] == [f"True {ADVANCED}"] * 3
    assert len(cached(source.parent / "__pycache__")) == 1


def test_the_lock_of_the_interpreter_is_free():
    """Machine code waits for what Python does meanwhile; it gives up after seconds."""

    @compiled
    def wait(flags, own, other):
        for turn in range(3_000_000_000):
            flags[own] = turn + 1
            if flags[other] > 0:
                return True
        return False

    assert wait(np.ones(2, np.int64), 0, 1)
    flags = np.zeros(2, np.int64)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait, flags, 0, 1)
        while flags[0] == 0:
            time.sleep(0.001)
        flags[1] = 1
        assert waiting.result()


@pytest.mark.parametrize("module", ["fgunet.series.interpolation", "fgunet.sentinel2.resampling"])
def test_to_import_a_kernel_does_not_import_numba(module):
    code = f"import sys, {module}; print('numba' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300
    )
    assert found.stdout.strip() == "False"
