"""Holds the garbage collector off while a bulk of data is made, all of which stays."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection meanwhile: each would look through all that was made so far, and find nothing. May be nested.

    What was made is put out of its sight at the end: else it looks through all of it at once. Measured: a fifth of the
    time of compiling 1,000 resources, and more of larger specs.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()
