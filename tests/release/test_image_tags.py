"""Which tags a release's images get."""

from __future__ import annotations

from typing import Any

import pytest

from stagegate.errors import Stop
from stagegate.model import IMAGE_TAG
from stagegate.release.image_tags import verify
from stagegate.release.image_tags.facts import read
from stagegate.release.image_tags.plan import (
    FLOATING,
    TagFacts,
    chosen,
    fixed_tags,
    floating_tags,
    plan,
    stray,
)
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
def test_image_tags_do_not_depend_on_the_prefix_of_git_tags(
    prefix: str, form: str, names: tuple[str, ...]
) -> None:
    settings = Settings(app="pay", version=Versioning(tag_prefix=prefix), image_tag=form)
    assert fixed_tags(settings.image_tags("1.2.3"), "c" * 40, DIGEST)[:-2] == names


def test_a_fixed_tag_with_other_content_is_refused() -> None:
    facts = TagFacts(digests={IMAGE: DIGEST}, present={IMAGE: {"v1.0.0": OTHER}})
    with pytest.raises(Stop) as stop:
        plan("1.0.0", ("v1.0.0",), "c" * 40, facts)
    assert stop.value.reason == "tag-taken"
    assert DIGEST in stop.value.why
    assert OTHER in stop.value.why


def test_only_missing_tags_are_written() -> None:
    facts = TagFacts(digests={IMAGE: DIGEST}, present={IMAGE: {"v1.0.0": DIGEST, "latest": OTHER}})
    decided = plan("1.0.0", ("v1.0.0",), "c" * 40, facts, floating=FLOATING)
    assert {t.tag: t.needed for t in decided} == {
        "v1.0.0": False,
        f"sha-{'c' * 40}": True,
        f"sha-{'a' * 12}": True,
        "latest": True,
        "1.0": True,
        "1": True,
    }


@pytest.mark.parametrize(
    ("given", "kinds"),
    [("false", ()), ("true", FLOATING), ("latest", ("latest",)), ("X, latest", ("latest", "X")), ("", ())],
)
def test_floating_tags_are_chosen_one_by_one(given: str, kinds: tuple[str, ...]) -> None:
    assert chosen(given) == kinds
    assert set(floating_tags("1.2.3", (), kinds)) == {
        {"latest": "latest", "X.Y": "1.2", "X": "1"}[kind] for kind in kinds
    }


def test_an_unknown_kind_of_floating_tag_is_refused() -> None:
    with pytest.raises(Stop) as stop:
        chosen("latest newest")
    assert stop.value.reason == "bad-input"


class Tags:
    """A registry of one image with the given tags."""

    def __init__(self, *tags: str) -> None:
        self._tags = tags

    def tags(self, _: str) -> tuple[str, ...]:
        return self._tags

    def digest(self, reference: str) -> str | None:
        return DIGEST if "@" in reference or reference.rpartition(":")[2] in self._tags else None


@pytest.mark.parametrize(
    ("form", "there"),
    [
        ("{version}-alpine", "2.0.0-alpine"),
        ("shop-{version}-slim", "shop-2.0.0-slim"),
        ("v{version}", "v2.0.0"),
    ],
)
def test_latest_stays_on_the_highest_version_whatever_the_form_of_tags(form: str, there: str) -> None:
    for version, moves in (("1.1.1", False), ("2.0.1", True), ("2.0.1+7", True)):
        names = (form.replace("{version}", version).replace("+", "_"),)
        registry: Any = Tags(there)
        facts = read({IMAGE: DIGEST}, version, names, "c" * 40, registry, floating=("latest",))
        decided = plan(version, names, "c" * 40, facts, floating=("latest",))
        assert ("latest" in {tagging.tag for tagging in decided}) == moves, version
    strays = TagFacts(digests={}, present={}, published={IMAGE: ("2.0.0",)}, released=frozenset())
    (stray_tag,) = stray(strays, "1.1.1", (form.replace("{version}", "1.1.1"),))
    assert stray_tag.object == f"{IMAGE}:{there}"


def test_a_tag_that_belongs_to_no_release_is_reported_with_its_removal() -> None:
    facts = TagFacts(
        digests={IMAGE: DIGEST},
        present={},
        published={IMAGE: ("9.9.9", "2.0.0", "9.0.0-rc.1", "1.0.0")},
        released=frozenset({"1.1.0", "2.0.0"}),
    )
    (found,) = stray(facts, "1.1.0", ("v1.1.0",))
    assert found.object == f"{IMAGE}:v9.9.9"
    assert f"crane delete {IMAGE}:v9.9.9" in found.fix
    assert stray(TagFacts(digests={}, present={}, published=facts.published), "1.1.0", ("v1.1.0",)) == ()


def test_every_tag_of_a_release_names_one_image() -> None:
    tags = {"v1.0.0": DIGEST, "sha-c": DIGEST, "sha-a": ""}
    (missing,) = verify.judge({IMAGE: tags})
    assert (missing.object, "not in the registry" in missing.message) == (f"{IMAGE}:sha-a", True)
    (other,) = verify.judge({IMAGE: {**tags, "sha-a": OTHER}})
    assert OTHER in other.message
    assert verify.judge({IMAGE: {**tags, "sha-a": DIGEST}}) == ()
