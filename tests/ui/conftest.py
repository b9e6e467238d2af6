"""Qt objects die on the thread they live on: no test leaves dead ones behind for another thread to find."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator

import pytest

_EVERY = 20
"""A full collection costs a tenth of a second; one after each of five hundred tests would cost a minute."""
_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def _collect_after_the_module() -> Iterator[None]:
    gc.disable()
    gc.collect()
    gc.freeze()  # what other tests left alive is looked through once, not after every twentieth test of this module
    yield
    gc.collect()
    gc.enable()


@pytest.fixture(autouse=True)
def _collect_now_and_then() -> Iterator[None]:
    gc.disable()
    yield
    if next(_numbers) % _EVERY == 0:
        gc.collect()
