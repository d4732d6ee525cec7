"""Which tags a release's images get."""

from __future__ import annotations

import pytest

from stagegate.errors import Stop
from stagegate.model import IMAGE_TAG
from stagegate.release.image_tags.plan import TagFacts, fixed_tags, floating_tags, plan
from stagegate.settings import Settings, Versioning

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
IMAGE = "ghcr.io/acme/shop"


@pytest.mark.parametrize(
    ("version", "published", "tags"),
    [
        ("1.2.3", (), ("latest", "1.2", "1")),
        ("1.9.1", ("2.0.1",), ("1.9", "1")),
        ("1.2.4", ("1.3.0", "1.2.3"), ("1.2",)),
        ("2.0.0-rc.1", (), ()),
        ("0.3.1", ("0.3.0",), ("latest", "0.3")),
        ("1.0.0", ("1.1.0-rc.1",), ("latest", "1.0", "1")),
    ],
)
def test_floating_tags_never_go_back(version: str, published: tuple[str, ...], tags: tuple[str, ...]) -> None:
    assert floating_tags(version, published) == tags


@pytest.mark.parametrize(
    ("prefix", "form", "names"),
    [
        ("v", IMAGE_TAG, ("v1.2.3",)),
        ("pay-v", IMAGE_TAG, ("v1.2.3", "pay-v1.2.3")),
        ("", IMAGE_TAG, ("v1.2.3", "1.2.3")),
        ("services/pay/v", IMAGE_TAG, ("v1.2.3",)),  # a registry takes no slash in a tag
        ("v", "{version}", ("1.2.3",)),
        ("pay-v", "{app}-{version}", ("pay-1.2.3",)),
    ],
)
def test_an_image_has_the_release_s_name_whatever_git_tags_begin_with(
    prefix: str, form: str, names: tuple[str, ...]
) -> None:
    settings = Settings(app="pay", version=Versioning(tag_prefix=prefix), image_tag=form)
    assert fixed_tags(settings.image_tags("1.2.3"), "c" * 40, DIGEST)[:-2] == names


def test_a_fixed_tag_with_other_content_is_refused() -> None:
    facts = TagFacts(digests={IMAGE: DIGEST}, present={IMAGE: {"v1.0.0": OTHER}})
    with pytest.raises(Stop) as stop:
        plan("1.0.0", ("v1.0.0",), "c" * 40, facts, floating=False)
    assert stop.value.reason == "tag-taken"
    assert DIGEST in stop.value.why
    assert OTHER in stop.value.why


def test_only_what_is_missing_is_put() -> None:
    facts = TagFacts(digests={IMAGE: DIGEST}, present={IMAGE: {"v1.0.0": DIGEST, "latest": OTHER}})
    decided = plan("1.0.0", ("v1.0.0",), "c" * 40, facts, floating=True)
    assert {t.tag: t.needed for t in decided} == {
        "v1.0.0": False,
        f"sha-{'c' * 40}": True,
        f"sha-{'a' * 12}": True,
        "latest": True,
        "1.0": True,
        "1": True,
    }
