"""Rendering with the real helm: a folder and its package render the same, and a mistake is reported with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from stagegate.argocd_app.inputs import Parameter, RenderInputs, ValuesFile
from stagegate.chart import package, render
from stagegate.errors import Stop

from .charts import CHART, RECORD, write

INPUTS = RenderInputs(release_name="shop", namespace="staging")


def greeting(objects: tuple[render.RenderedObject, ...]) -> str:
    return str(objects[0].body["data"]["greeting"])


def test_a_folder_and_its_package_render_the_same(tmp_path: Path) -> None:
    chart = write(tmp_path, {"values-x.yaml": "greeting: from the chart\n"})
    packed = package.pack(chart, RECORD)
    inputs = RenderInputs(release_name="a", namespace="b", values=(ValuesFile(name="values-x.yaml"),))
    one, other = render.render(chart.folder, inputs), render.render(packed.archive, inputs)
    assert render.configuration(one) == render.configuration(other)
    assert greeting(one) == "from the chart"
    assert one[0].name == "a"


def test_values_keep_their_order_and_types(tmp_path: Path) -> None:
    template = "apiVersion: v1\nkind: A\nmetadata: {name: a}\nspec: {{ .Values | toJson }}\n"
    chart = write(tmp_path, {"templates/configmap.yaml": template, "values.yaml": "a: 0\nb: 0\nc: 0\nd: 0\n"})
    inputs = RenderInputs(
        release_name="x",
        namespace="y",
        values=(
            ValuesFile(name="one", content=b"a: 1\nb: 1\nc: 1\nd: 1\n"),
            ValuesFile(name="t,w o", content=b"b: 2\nc: 2\nd: 2\n"),
        ),
        inline="c: 3\nd: 3",
        parameters=(
            Parameter("d", "4"),
            Parameter("text", "4", True),
            Parameter("list", "{1,2}"),
            Parameter("comma", r"a\,b", True),
        ),
    )
    spec = render.render(chart.folder, inputs)[0].body["spec"]
    assert (spec["a"], spec["b"], spec["c"], spec["d"]) == (1, 2, 3, 4)
    assert (spec["text"], spec["list"], spec["comma"]) == ("4", [1, 2], "a,b")


def test_custom_resources_are_rendered_unless_skipped(tmp_path: Path) -> None:
    crd = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b.c}\n"
    chart = write(tmp_path, {"crds/a.yaml": crd})
    assert [one.kind for one in render.render(chart.folder, INPUTS)] == [
        "CustomResourceDefinition",
        "ConfigMap",
    ]
    without = RenderInputs(release_name="shop", namespace="staging", include_crds=False)
    assert [one.kind for one in render.render(chart.folder, without)] == ["ConfigMap"]


@pytest.mark.parametrize(
    ("files", "says", "file", "line"),
    [
        ({"templates/a.yaml": "x: {{ .Values.a.b.c }}\n"}, "nil pointer", "templates/a.yaml", 1),
        ({"templates/a.yaml": "\nx: {{ nosuch }}\n"}, "nosuch", "templates/a.yaml", 2),
        ({"templates/a.yaml": "x: y\n  z: [\n"}, "YAML", "templates/a.yaml", None),
        ({"values.schema.json": '{"required": ["must"]}'}, "must", None, None),
        ({"templates/a.yaml": '{{ fail "never" }}'}, "never", "templates/a.yaml", 1),
    ],
)
def test_an_error_of_helm_is_reported_with_its_place(
    tmp_path: Path, files: dict[str, str | bytes], says: str, file: str | None, line: int | None
) -> None:
    with pytest.raises(Stop, match=says) as stop:
        render.render(write(tmp_path, files).folder, INPUTS)
    assert stop.value.reason == "findings"
    assert (stop.value.file, stop.value.line) == (file, line)


def test_mistakes_that_helm_accepts_are_found(tmp_path: Path) -> None:
    glued = "# names the shop\n{{- /* trimmed */ -}}\napiVersion: v1\nkind: A\nmetadata: {name: a}\n"
    with pytest.raises(Stop, match="without apiVersion") as stop:
        render.render(write(tmp_path, {"templates/glued.yaml": glued}).folder, INPUTS, where="prod")
    assert stop.value.file == "templates/glued.yaml"
    assert "prod" in str(stop.value)


def test_parallel_renderings_keep_their_order(tmp_path: Path) -> None:
    chart = write(tmp_path)
    work = [
        (str(n), chart.folder, RenderInputs(release_name=f"r{n}", namespace="x", inline=f"greeting: g{n}"))
        for n in range(6)
    ]
    assert [greeting(objects) for objects in render.render_all(work)] == [f"g{n}" for n in range(6)]


def test_a_missing_values_file_is_refused(tmp_path: Path) -> None:
    chart = write(tmp_path)
    (tmp_path / "secret.yaml").write_text("greeting: leaked\n")
    for name in ("gone.yaml", "../secret.yaml"):
        with pytest.raises(Stop) as stop:
            render.render(
                chart.folder, RenderInputs(release_name="x", namespace="y", values=(ValuesFile(name=name),))
            )
        assert stop.value.reason == "missing-file"
    allowed = RenderInputs(
        release_name="x", namespace="y", values=(ValuesFile(name="gone.yaml", optional=True),)
    )
    assert greeting(render.render(chart.folder, allowed)) == "hello"


def test_the_kubernetes_version_is_passed_on(tmp_path: Path) -> None:
    chart = write(tmp_path, chart=CHART + 'kubeVersion: ">=1.40.0"\n')
    with pytest.raises(Stop, match="incompatible"):
        render.render(chart.folder, INPUTS)
    newer = RenderInputs(release_name="x", namespace="y", kube_version="1.41.0")
    assert render.render(chart.folder, newer)
