"""A version is decided the same way in every checkout: generated histories, compared with a walk over the full graph.

`python -m bench histories` tries thousands of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import histories

pytestmark = pytest.mark.fuzz
HISTORIES = 200
AT_ONCE = 10


@pytest.mark.parametrize("first", range(0, HISTORIES, AT_ONCE))
def test_every_depth_of_a_checkout_decides_as_the_full_graph(tmp_path: Path, first: int) -> None:
    for seed in range(first, first + AT_ONCE):
        assert histories.differences(seed, tmp_path / str(seed)) == [], seed
