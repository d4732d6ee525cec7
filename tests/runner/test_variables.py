"""Variables that tune stagegate: one parser, and a wrong value is a mistake of the workflow, not a bug."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from stagegate.errors import Stop
from stagegate.runner import variables


@pytest.mark.parametrize("text", ["fast", "-1", "nan", "inf", "1,5"])
@pytest.mark.parametrize(
    ("name", "read"),
    [(variables.WRITE_PACE, variables.write_pace), (variables.RETRY_PACE, variables.retry_pace)],
)
def test_a_wrong_pace_is_bad_input(name: str, read: Callable[[Mapping[str, str]], float], text: str) -> None:
    with pytest.raises(Stop) as caught:
        read({name: text})
    assert caught.value.reason == "bad-input"
    assert name in caught.value.what
    assert read({name: " 0.25 "}) == 0.25
    assert read({name: ""}) == read({})
