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
def test_an_invalid_pace_is_bad_input(
    name: str, read: Callable[[Mapping[str, str]], float], text: str
) -> None:
    with pytest.raises(Stop) as caught:
        read({name: text})
    assert caught.value.reason == "bad-input"
    assert name in caught.value.what
    assert read({name: " 0.25 "}) == 0.25
    assert read({name: ""}) == read({})


SECRET = (
    "# the login made for tests\n\nSHOP_USER=demo\nexport SHOP_PASSWORD=a=b c\r\nARGOCD_TOKEN=t0ken-of-argo\n"
)


def test_one_secret_contains_many_variables() -> None:
    found = variables.given({variables.VARIABLES: SECRET})
    assert found == {"SHOP_USER": "demo", "SHOP_PASSWORD": "a=b c", "ARGOCD_TOKEN": "t0ken-of-argo"}
    assert variables.given({}) == {}


def test_a_line_without_a_variable_is_refused_and_not_shown() -> None:
    with pytest.raises(Stop) as caught:
        variables.given({variables.VARIABLES: "SHOP_USER=demo\nhunter2-alone\n"})
    assert caught.value.reason == "bad-input"
    assert "Line 2" in caught.value.what
    assert "hunter2" not in str(caught.value)


def test_checks_get_the_allowed_variables_and_those_of_the_job_win() -> None:
    job = {variables.VARIABLES: SECRET, "SHOP_USER": "of-the-job", "SHOP_PASSWORD": "", "OTHER": "x"}
    found = variables.for_tests(["SHOP_USER", "SHOP_PASSWORD"], job)
    assert found == {"SHOP_USER": "of-the-job", "SHOP_PASSWORD": "a=b c", "OTHER": "x"}
