"""How loops are compiled: on first use, kept on disk, and run while other threads run."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

_Kernel = TypeVar("_Kernel", bound=Callable[..., None])


def kernel(function: _Kernel) -> _Kernel:
    """Compile a function that fills arrays it is given.

    A kernel makes no arrays itself, so it need not count who uses them: counting costs more than a row of pixels does.

    Args:
        function: of arrays and numbers, in the part of Python that numba knows; modules that hold such functions are
            imported where they are used, because numba takes half a second to load.

    Returns:
        The compiled function.
    """
    compiled = cast("Any", njit)(cache=True, nogil=True, _nrt=False)(function)
    return cast("_Kernel", compiled)
