"""Loops over pixels as machine code, compiled when they are first called."""

import functools
import hashlib
import inspect
import types
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

if TYPE_CHECKING:
    from numba.core.dispatcher import Dispatcher

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class compiled(Generic[Parameters, Result]):  # noqa: N801  a decorator
    """Compile a function with Numba at its first call, and keep the machine code on disk.

    Neither this module nor a decorated one imports Numba: who only takes a constant from there
    does not wait for it. The function runs without the interpreter's lock; its arithmetic is that
    of IEEE, in the order written, and a division by zero gives what NumPy gives. It may call
    decorated functions of its own file, and no others.

    The code is kept where Numba keeps it: under ``NUMBA_CACHE_DIR``, beside the source, or in the
    user's cache directory. Where none can be written, every process compiles for itself.

    Processes that write Numba's files at the same time can mix up their entries. So there are
    files for each source, processor and release, and a decorated function that is called from
    Python must always be called with the same types, layouts and flags of arrays.
    """

    def __init__(self, function: Callable[Parameters, Result]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._kept: Dispatcher[Callable[Parameters, Result]] | None = None
        self._unkept: Dispatcher[Callable[Parameters, Result]] | None = None

    def __call__(self, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        """Run the machine code."""
        # Threads that come here together may each make one, and any of them will do. A lock
        # could be held against that of Numba's compiler.
        if self._kept is None:
            self._kept = self._with_files() or self._in_memory()
        try:
            return self._kept(*args, **kwargs)
        except OSError:
            # Machine code raises none: the files cannot be read or written (a full disk).
            self._kept = self._in_memory()
            return self._kept(*args, **kwargs)

    @property
    def _numba_type_(self) -> Any:
        """By this name Numba asks for the type of a function that another one calls."""
        from numba import types  # noqa: PLC0415  see above

        return types.Dispatcher(self._in_memory())

    def _with_files(self) -> "Dispatcher[Callable[Parameters, Result]] | None":
        """The function with its code on disk, or None where that cannot be."""
        try:
            return _dispatcher(_named_for_its_files(self._function), cache=True)
        except (OSError, RuntimeError):
            # No source, or no place that Numba can write to.
            return None

    def _in_memory(self) -> "Dispatcher[Callable[Parameters, Result]]":
        if self._unkept is None:
            self._unkept = _dispatcher(self._function, cache=False)
        return self._unkept


def _dispatcher(
    function: Callable[Parameters, Result], *, cache: bool
) -> "Dispatcher[Callable[Parameters, Result]]":
    from numba import njit  # noqa: PLC0415  half a second, and not every process needs it

    return njit(nogil=True, error_model="numpy", cache=cache)(function)


def _named_for_its_files(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """A copy of a function whose name, and so Numba's files, say what its code depends on."""
    import llvmlite  # noqa: PLC0415  comes with Numba
    import numba  # noqa: PLC0415

    if not isinstance(function, types.FunctionType):
        return function
    depends_on = (
        Path(inspect.getfile(function)).read_bytes(),
        llvmlite.binding.get_host_cpu_name().encode(),
        llvmlite.binding.get_host_cpu_features().flatten().encode(),
        f"{numba.__version__} {llvmlite.__version__}".encode(),
    )
    key = hashlib.sha256(b"\0".join(depends_on)).hexdigest()[:12]
    copy = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    copy.__qualname__ = f"{function.__qualname__}_{key}"
    return copy
