"""A chart is a program of somebody else: it can read no file and take no endless time while it is rendered."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate.chart import objects
from stagegate.clients import helm
from stagegate.errors import Stop

SECRET = "ghs_424242_secret-of-this-step"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n  seen: {seen}\n"


def chart(folder: Path, template: str, values: str = "") -> Path:
    target = folder / "shop"
    (target / "templates").mkdir(parents=True)
    (target / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 1.0.0\n")
    (target / "values.yaml").write_text(values)
    (target / "templates" / "x.yaml").write_text(template)
    return target


def render(path: Path) -> str:
    return helm.template(path, release_name="shop", namespace="shop")


@pytest.mark.parametrize(
    "seen",
    [
        '{{ env "SG_TOKEN" }}',
        '{{ expandenv "$SG_TOKEN" }}',
        '{{ .Files.Get "../../secret.txt" | quote }}',
        '{{ .Files.Get "/etc/hostname" | quote }}',
        '{{ range $p, $_ := .Files.Glob "../**" }}{{ $p }}{{ end }}x',
        '{{ getHostByName "localhost" | quote }}',
        '{{ (lookup "v1" "Secret" "" "") | toJson | quote }}',
    ],
)
def test_a_chart_reads_no_file_outside_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seen: str
) -> None:
    monkeypatch.setenv("SG_TOKEN", SECRET)
    (tmp_path / "secret.txt").write_text(SECRET)
    try:
        text = render(chart(tmp_path, MAP.format(seen=seen)))
    except Stop as stop:
        assert stop.reason == "findings"
        text = f"{stop.what} {stop.why}"
    assert SECRET not in text
    assert "127.0.0.1" not in text
    assert "secret.txt" not in text.replace(seen, "")


@pytest.mark.parametrize(
    ("bomb", "reason"),
    [
        ("data: {{ range until 5000 }}{{ repeat 1000 `x` }}{{ end }}", "findings"),
        ("{{ define `a` }}{{ include `a` . }}{{ end }}{{ include `a` . }}", "findings"),
        ("{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}", "timeout"),
    ],
)
def test_an_endless_template_ends_in_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bomb: str, reason: str
) -> None:
    monkeypatch.setattr(helm, "SECONDS", 120.0 if reason == "findings" else 0.5)
    # Over the real limit helm works for six seconds.
    monkeypatch.setattr(helm, "OUTPUT_LIMIT", 4 << 20)
    with pytest.raises(Stop) as caught:
        render(chart(tmp_path, bomb))
    assert caught.value.reason == reason


OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
ALIASES = "b0: &b0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{i}: &b{i} [{', '.join([f'*b{i - 1}'] * 9)}]\n" for i in range(1, 12)
)


@pytest.mark.parametrize(
    "more",
    [
        ALIASES,
        "a: " + "[" * 100_000,
        "a: " + "[" * 5_000 + "]" * 5_000,
        "a:\n" + "".join(f"{' ' * i}- \n" for i in range(1, 1000)),
        "a:\n  " + "- " * 100_000 + "x",
        "a:\n  " + "? " * 100_000 + "x",
        "a: " + "{a: " * 10_000,
        "a: &a [*a]",
    ],
    ids=["aliases", "open", "closed", "block", "dashes", "questions", "maps", "itself"],
)
def test_rendered_yaml_cannot_exhaust_the_reader(more: str) -> None:
    with pytest.raises(Stop) as caught:
        objects.parse(OBJECT + more, "prod")
    assert caught.value.reason == "findings"


def test_ordinary_aliases_and_depth_are_read() -> None:
    more = "a: &a {x: 1}\nb: [*a, *a]\nc: " + "[" * 60 + "]" * 60
    (one,) = objects.parse(OBJECT + more, "prod")
    assert one.body["b"] == [{"x": 1}, {"x": 1}]
