"""A refusal ends with a settings line that works: it is read, and it moves the version."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from stagegate import pins, plain_yaml
from stagegate import settings as settings_file
from stagegate.errors import Stop
from stagegate.model import Release
from stagegate.pins import settings_line
from stagegate.settings import PinSettings, Settings

IMAGE = "ghcr.io/acme/shop"
TWO = """\
kind: Deployment
metadata: {name: NAME}
spec: {release: 1.2.3}
"""
TWICE = TWO.replace("NAME", "shop") + "---\n" + TWO.replace("NAME", "worker")
SET = """\
apiVersion: argoproj.io/v1alpha1
kind: ApplicationSet
metadata: {name: shop}
spec:
  generators:
    - list:
        elements:
          - {region: eu, version: 1.2.3}
          - {region: us, version: 1.2.3}
  template:
    metadata: {name: 'shop-{{region}}'}
    spec:
      source: {repoURL: ghcr.io/acme/charts, chart: shop, targetRevision: '{{version}}'}
"""

REFUSED: dict[str, tuple[str | PinSettings, str]] = {
    "no-field-is-the-apps": ("settings.yaml", "web:\n  release: v1.2.3\n"),
    "a-path-that-leads-nowhere": (
        PinSettings(file="a.yaml", path="spec.tags"),
        "spec:\n  x: 0.1.0\n  tag: 1.2.3\n",
    ),
    "a-path-with-a-prefix": (PinSettings(file="a.yaml", path="image.tags"), "image:\n  tag: v1.2.3\n"),
    "a-key-with-odd-letters": (PinSettings(file="a.yaml", path="x"), "'a: b, {c}.d':\n  'it''s': v1.2.3\n"),
    "two-documents": (PinSettings(file="a.yaml", path="spec.release"), TWICE),
    "two-documents-without-names": (
        PinSettings(file="a.yaml", path="tag"),
        "a: 1\ntag: 1.2.3\n---\nb: 1\ntag: 1.2.3\n",
    ),
    "the-second-of-two-documents": (PinSettings(file="a.yaml", path="spec.releases"), TWICE),
    "a-pattern-for-other-words": (
        PinSettings(file="a.tf", pattern='tag = "v{version}"'),
        'min = "9.9.9"\ntag  = "v1.2.3"\n',
    ),
    "a-pattern-with-a-quote": (PinSettings(file="a.tf", pattern="x{version}"), "it's v1.2.3\n"),
    "a-pattern-in-two-lines": (
        PinSettings(file="a.tf", pattern='tag = "v{version}"'),
        'module "a" {\n  tag = "v1.2.3"\n}\nmodule "b" {\n  tag = "v1.2.3"\n}\n',
    ),
    "windows-line-ends": (
        PinSettings(file="a.tf", pattern='tag = "v{version}"'),
        'module "a" {\r\n  tag = "v1.2.3"\r\n}\r\nmodule "b" {\r\n  tag = "v1.2.3"\r\n}\r\n',
    ),
    "a-variant-in-a-pattern": (PinSettings(file="a.env", pattern="TAG={version}"), "TAG=1.2.3-alpine\n"),
    "a-variant-at-a-path": (
        PinSettings(file="a.yaml", path="tag", value="v{version}"),
        "tag: v1.2.3-alpine\n",
    ),
    "a-variant-in-toml": (PinSettings(file="a.toml", path="tag"), 'tag = "1.2.3-alpine"\n'),
    "a-path-into-toml-that-leads-nowhere": (PinSettings(file="a.toml", path="tags"), 'tag = "1.2.3"\n'),
    "an-ambiguous-variant": ("values.yaml", f"image: {{repository: {IMAGE}, tag: 1.2.3-1}}\n"),
    "an-ambiguous-variant-of-a-reference": ("values.yaml", f"web:\n  image: {IMAGE}:v1.2.3-blue\n"),
    "an-ambiguous-variant-in-one-of-two-documents": (
        "values.yaml",
        f"kind: a\nimage: {{repository: {IMAGE}, tag: 1.2.3-1}}\n---\nkind: b\nx: 1\n",
    ),
    "no-yaml": ("prod.env", "# of the shop\nSHOP_TAG=v1.2.3\nOTHER=:\n\t- x\n"),
    "braces-of-a-template": ("shop.yaml", "{{- if .Values.on }}\nshop: v1.2.3\n{{- end }}\n"),
}


def settings(**places: dict[str, object]) -> Settings:
    """Settings with environments by name; each value has its other keys."""
    raw = {
        "app": "shop",
        "images": [IMAGE],
        "chart": {"path": "charts/shop", "repository": "oci://ghcr.io/acme/charts"},
        "environments": [{"name": name, **keys} for name, keys in (places or {"prod": {}}).items()],
    }
    return msgspec.convert(raw, Settings)


def stop_of(pin: str | PinSettings, content: str, known: Settings) -> Stop:
    with pytest.raises(Stop) as caught:
        moved(pin, content, known)
    return caught.value


def moved(pin: str | PinSettings, content: str, known: Settings) -> str:
    read = pins.read(pin, content.encode(), known, known.environments[0])
    release = Release(app="shop", version="1.2.4", tag="v1.2.4", commit="")
    return pins.edit(read, release, known)[0].decode()


@pytest.mark.parametrize("name", REFUSED)
def test_the_settings_line_of_a_refusal_moves_the_version(name: str) -> None:
    pin, content = REFUSED[name]
    stop = stop_of(pin, content, settings())
    line = re.search(r"\{file: .*\}", stop.next)
    assert stop.file
    assert stop.line
    assert line, stop.next
    wanted = msgspec.convert(plain_yaml.load(line[0].encode()), PinSettings)
    after = moved(wanted, content, settings())
    number = stop.line - 1
    assert after.split("\n")[number] == content.split("\n")[number].replace("1.2.3", "1.2.4")
    assert after.count("1.2.4") == 1
    assert settings_line.written(wanted) == line[0]


def test_the_settings_line_of_a_refusal_selects_the_environments_element() -> None:
    stop = stop_of("set.yaml", SET, settings(prod={"pins": ["set.yaml"]}))
    (name,) = re.findall(r"applications: \[(\S+)\]", stop.next)
    after = moved("set.yaml", SET, settings(prod={"argocd": {"applications": [name]}}))
    assert after.split("\n")[(stop.line or 0) - 1] == "          - {region: eu, version: 1.2.4}"
    assert after.count("1.2.4") == 1


def test_no_refusal_proposes_the_application_of_another_environment() -> None:
    elements = SET.replace("region: eu", "region: staging").replace("region: us", "region: test")
    known = settings(prod={}, staging={}, other={"argocd": {"applications": ["shop-test"]}})
    stop = stop_of("set.yaml", elements, known)
    assert "has 2 list elements for shop" in stop.what
    assert "argocd: {" not in stop.next


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ({"file": "a", "pattern": "VERSION="}, "contains no placeholder for the release"),
        ({"file": "a", "path": "b", "value": "v{versions}"}, "contains no placeholder for the release"),
        ({"file": "a", "path": "b", "pattern": "x{version}"}, "only one of path and pattern"),
        ({"file": "a", "add": True, "path": "b"}, "only one of path and add"),
        ({"file": "a", "pattern": "x{version}", "value": "v{version}"}, "has no `value`"),
        ({"file": "a", "path": "b[c"}, "is not a path"),
    ],
)
def test_a_pin_that_could_never_move_is_refused_with_its_line(pin: dict[str, object], why: str) -> None:
    text = f"app: shop\nenvironments:\n  - name: prod\n    pins:\n      - {json.dumps(pin)}\n"
    with pytest.raises(Stop) as caught:
        settings_file.parse(text.encode(), "stagegate.yaml")
    assert why in str(caught.value.why)
    assert caught.value.line == 5
