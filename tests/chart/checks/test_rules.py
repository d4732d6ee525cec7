"""Each rule on a tiny chart that has the defect and on one that has not, rendered by the real helm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stagegate import settings as settings_file
from stagegate.chart import source
from stagegate.chart.check import facts, plan
from stagegate.chart.check.plan import Checked
from stagegate.chart.check.request import CheckRequest
from stagegate.clients import helm
from stagegate.model import Finding
from stagegate.settings import ChartSettings, Settings
from tests.chart import charts

SETTINGS = """\
app: shop
version: {tag-prefix: v, files: []}
images: [ghcr.io/acme/shop]
chart:
  path: charts/shop
  repository: oci://ghcr.io/acme/charts
  image-tag-value: global.imageTag
  checks: CHECKS
"""
VALUES = "greeting: hello\nglobal: {imageTag: v1.2.3, database: shop-db}\n"
GOOD = "ghcr.io/acme/shop:{{ .Values.global.imageTag }}"
DIGEST = "sha256:" + "a" * 64

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      POD
      containers:
        - name: web
          image: IMAGE
          CONTAINER
"""


def deployment(pod: str = "", container: str = "", image: str = GOOD) -> str:
    return DEPLOYMENT.replace("IMAGE", f'"{image}"').replace("POD", pod).replace("CONTAINER", container)


def checked(tmp_path: Path, files: dict[str, str], *, checks: str = "{}", pins: str = "") -> Checked:
    """The findings of chart-check for a chart with these templates, and for Applications in pins.yaml."""
    everything: dict[str, str | bytes] = {"values.yaml": VALUES, **files}
    charts.write(tmp_path / "charts", everything)
    text = SETTINGS.replace("CHECKS", checks)
    if pins:
        (tmp_path / "pins.yaml").write_text(pins)
        text += "environments: [{name: staging, pins: [pins.yaml]}]\n"
    settings = settings_file.parse(text.encode(), "stagegate.yaml")
    own = settings.own_chart
    assert own is not None
    known = facts.read(settings, own, facts.Checkout(tmp_path, "acme/shop"), {}, CheckRequest())
    return plan.plan(known)


def found(result: Checked, rule: str) -> list[Finding]:
    return [one for one in result.findings if one.rule == rule and one.severity != "note"]


def web(text: str) -> dict[str, str]:
    return {"templates/web.yaml": text}


def service(ports: str) -> dict[str, str]:
    return {
        "templates/s.yaml": f"apiVersion: v1\nkind: Service\nmetadata: {{name: s}}\nspec: {{ports: {ports}}}\n"
    }


def secret(value: str) -> dict[str, str]:
    return {
        "templates/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: VALUE}\n".replace(
            "VALUE", value
        )
    }


def named(kind: str, name: str) -> str:
    return f"\n---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"


def database(name: str) -> dict[str, str]:
    return {
        "templates/db.yaml": "apiVersion: postgresql.cnpg.io/v1\nkind: Cluster\n"
        "metadata: {name: {{ .Values.global.database }}}\nspec: {}\n",
        **web(deployment("volumes: [{name: d, secret: {secretName: NAME}}]".replace("NAME", name))),
    }


POD = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: own}}\nspec: {{containers: [{{name: own, image: '{GOOD}'}}]}}\n"
PROMETHEUS = """\
---
apiVersion: v1
kind: Service
metadata: {name: p}
spec: {selector: {operator.prometheus.io/name: p}, ports: [{port: 9090}]}
---
apiVersion: monitoring.coreos.com/v1
kind: Prometheus
metadata: {name: p}
"""
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
subjects: [{kind: ServiceAccount, name: web}, {kind: ServiceAccount, name: other, namespace: other}]
"""


def application(values: str) -> str:
    return (
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: shop-staging}\nspec:\n"
        "  destination: {namespace: shop}\n  source: {repoURL: ghcr.io/acme/charts, chart: shop, "
        f"targetRevision: 1.2.3, helm: {{valueFiles: [{values}]}}}}\n"
    )


# rule, what its finding must say, the defect, the same without it
CASES = [
    (
        "duplicate-entry",
        "ConfigMap/shop is rendered 2 times",
        {"templates/more.yaml": charts.CONFIGMAP.replace("{{ .Release.Name }}", "shop")},
        {"templates/more.yaml": charts.CONFIGMAP.replace("{{ .Release.Name }}", "other")},
    ),
    (
        "duplicate-entry",
        "the volume tmp twice",
        web(deployment("volumes: [{name: tmp, emptyDir: {}}, {name: tmp, emptyDir: {}}]")),
        web(deployment("volumes: [{name: tmp, emptyDir: {}}, {name: run, emptyDir: {}}]")),
    ),
    (
        "duplicate-entry",
        "the mount path /tmp in container web twice",
        web(deployment(container="volumeMounts: [{name: a, mountPath: /tmp}, {name: b, mountPath: /tmp}]")),
        web(deployment(container="volumeMounts: [{name: a, mountPath: /tmp}, {name: a, mountPath: /run}]")),
    ),
    (
        "duplicate-entry",
        "the variable A in container web twice",
        web(deployment(container='env: [{name: A, value: "1"}, {name: A, value: "2"}]')),
        web(deployment(container='env: [{name: A, value: "1"}, {name: B, value: "2"}]')),
    ),
    (
        "duplicate-entry",
        "the port name http twice",
        service("[{port: 80, name: http}, {port: 81, name: http}]"),
        service("[{port: 80, name: http}, {port: 81, name: more}]"),
    ),
    (
        "image-follows-tag",
        "The tag of ghcr.io/acme/shop:v1.2.3 does not come from global.imageTag",
        web(deployment(image="ghcr.io/acme/shop:v1.2.3")),
        web(deployment()),
    ),
    (  # the chart's default has another form than image-tags writes
        "image-follows-tag",
        "The tag of ghcr.io/acme/shop:1.2.3 at spec.template.spec.containers[0].image does not have the form of v1.2.3",
        {"values.yaml": VALUES.replace("v1.2.3", "1.2.3"), **web(deployment())},
        web(deployment()),
    ),
    (  # a digest wins over every tag
        "image-follows-tag",
        f"@{DIGEST}",
        web(deployment(image=f"{GOOD}@{DIGEST}")),
        web(deployment()),
    ),
    (  # a manifest that somebody else applies, out of .Files.Get without tpl
        "image-follows-tag",
        "The tag of ghcr.io/acme/shop:v1.0.0 does not come from global.imageTag: ConfigMap/shop at data.greeting",
        {"values.yaml": VALUES.replace("hello", '"image: ghcr.io/acme/shop:v1.0.0"'), **web(deployment())},
        {"values.yaml": VALUES.replace("hello", "see ghcr.io/acme/shop"), **web(deployment())},
    ),
    (
        "value-follows",
        "shop-db does not change with global.database: Deployment/web at "
        "spec.template.spec.volumes[0].secret.secretName",
        database("shop-db-app"),
        database("{{ .Values.global.database }}-app"),
    ),
    (
        "dangling-reference",
        "Secret/login is not rendered, but Deployment/web (volume d) needs it",
        web(deployment("volumes: [{name: d, secret: {secretName: login}}]")),
        web(deployment("volumes: [{name: d, secret: {secretName: login}}]") + named("Secret", "login")),
    ),
    (
        "dangling-reference",
        "ConfigMap/settings is not rendered, but Deployment/web (envFrom of web) needs it",
        web(deployment(container="envFrom: [{configMapRef: {name: settings}}]")),
        web(deployment(container="envFrom: [{configMapRef: {name: settings, optional: true}}]")),
    ),
    (
        "dangling-reference",
        "Secret/login is not rendered, but Deployment/web (variable A of web) needs it",
        web(deployment(container="env: [{name: A, valueFrom: {secretKeyRef: {name: login, key: k}}}]")),
        web(deployment(container="env: [{name: A, valueFrom: {secretKeyRef: {name: elsewhere, key: k}}}]")),
    ),
    (
        "dangling-reference",
        "PersistentVolumeClaim/data is not rendered",
        web(deployment("volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]")),
        web(
            deployment("volumes: [{name: d, persistentVolumeClaim: {claimName: data}}]")
            + named("PersistentVolumeClaim", "data")
        ),
    ),
    (
        "dangling-reference",
        "ServiceAccount/web is not rendered",
        web(deployment("serviceAccountName: web")),
        web(deployment("serviceAccountName: default")),
    ),
    (
        "dangling-reference",
        "ServiceAccount/web is not rendered, but RoleBinding/b",
        web(BINDING),
        web(BINDING + named("ServiceAccount", "web")),
    ),
    (
        "dangling-reference",
        "Secret/shop-pg-app is not rendered",
        database("shop-pg-app"),
        database("shop-db-app"),
    ),
    (
        "floating-tag",
        "busybox has no tag",
        web(deployment(image="busybox")),
        web(deployment(image=f"busybox@{DIGEST}")),
    ),
    (
        "floating-tag",
        "has the tag latest",
        web(deployment(image="registry:5000/x:latest")),
        web(deployment(image="registry:5000/x:1.2")),
    ),
    (
        "floating-tag",
        "which can refer to a different image later",
        web(deployment(image="ghcr.io/acme/shop:main")),
        web(deployment()),
    ),
    (
        "stable-render",
        "Secret/s is rendered differently each time.",
        secret("{{ randAlphaNum 20 }}"),
        secret("fixed"),
    ),
    (
        "stable-render",
        "at data.greeting",
        {"templates/configmap.yaml": charts.CONFIGMAP.replace(".Values.greeting", "uuidv4")},
        {"templates/configmap.yaml": charts.CONFIGMAP},
    ),
    (
        "document-shape",
        "renders something that is not a Kubernetes object",
        web("apiVersion: v1\nmetadata: {name: a}\n"),
        web("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
    ),
    (
        "document-shape",
        "renders something that is not a Kubernetes object",
        web(f"{POD}{POD}".replace("name: own}", "name: a}", 1)),
        web(f"{POD}---\n{POD}".replace("name: own}", "name: a}", 1)),
    ),
    (
        "broken-link",
        "Service/p selects no pod of the chart",
        web(POD + PROMETHEUS.replace("kind: Prometheus", "kind: ServiceMonitor")),
        web(POD + PROMETHEUS),
    ),
    (
        "chart-lint",
        "object name does not conform",
        web(POD + named("ConfigMap", "Upper")),
        web(POD + "---\napiVersion: v1\nkind: ConfigMapList\nitems: []\n"),
    ),
    (
        "duplicate-entry",
        "renders the key 'k' twice",
        web("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: a, k: b}\n"),
        web("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: a, l: b}\n"),
    ),
    (
        "chart-lint",
        "does not render",
        web('{{ fail "never" }}\n'),
        web('{{ if .Values.nothing }}{{ fail "never" }}{{ end }}\n'),
    ),
]
CHECKS = "{external: [Secret/else*], follow: {global.database: shop-db}}"


@pytest.mark.parametrize(("rule", "said", "bad", "good"), CASES, ids=[f"{c[0]}-{c[1][:24]}" for c in CASES])
def test_a_rule_finds_its_defect_and_nothing_else(
    rule: str, said: str, bad: dict[str, str], good: dict[str, str], tmp_path: Path
) -> None:
    there = found(checked(tmp_path / "bad", bad, checks=CHECKS), rule)
    assert any(said in one.message for one in there), there
    assert all(one.why and one.fix and one.file.startswith("charts/shop/") for one in there)
    assert found(checked(tmp_path / "good", good, checks=CHECKS), rule) == []


JOB = """\
apiVersion: batch/v1
kind: Job
metadata: {name: seed, annotations: {a: b}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "busybox:1.36"}]}}}
"""
SERVED = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
    - {name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}
    - {name: v1beta1, served: true, storage: false, schema: {openAPIV3Schema: {type: object}}}
"""
LOGIN = "apiVersion: v1\nkind: Secret\nmetadata: {name: login}\ntype: Opaque\nstringData: {a: b}\n"
RANK = "apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: rank}\nvalue: 10\n"
ADDRESS = (
    "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {clusterIP: 10.0.0.5, ports: [{port: 80}]}\n"
)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (JOB, JOB.replace("1.36", "1.37"), "changes spec.template"),
        (JOB, JOB.replace("1.36", "1.37").replace("a: b", '"helm.sh/hook": pre-upgrade'), ""),
        (JOB, JOB.replace("1.36", "1.37").replace("spec: {", "spec: {ttlSecondsAfterFinished: 60, ", 1), ""),
        (
            SERVED,
            SERVED.replace("v1beta1, served: true", "v1beta1, served: false"),
            "drops the version v1beta1",
        ),
        (LOGIN, LOGIN.replace("Opaque", "example.org/login"), "changes type, which is immutable"),
        (LOGIN, LOGIN.replace("type: Opaque\n", ""), ""),
        (RANK, RANK.replace("10", "20"), "changes value, which is immutable"),
        (ADDRESS, ADDRESS.replace("0.5", "0.6"), "changes spec.clusterIP"),
        (ADDRESS, ADDRESS.replace("clusterIP: 10.0.0.5, ", ""), ""),
    ],
)
def test_a_change_that_the_cluster_would_refuse_is_found(
    before: str, after: str, said: str, tmp_path: Path
) -> None:
    charts.write(tmp_path / "charts", {**web(after)})
    charts.write(tmp_path / "old", {**web(before)})
    settings = settings_file.parse(SETTINGS.replace("CHECKS", "{}").encode(), "stagegate.yaml")
    own = settings.own_chart
    assert own is not None
    request = CheckRequest(base="old/shop")
    known = facts.read(settings, own, facts.Checkout(tmp_path, "acme/shop"), {}, request)
    messages = [one.message for one in found(plan.plan(known), "destructive-change")]
    assert [said in message for message in messages] == ([True] if said else [])


def test_parameters_and_both_versions_are_judged(tmp_path: Path) -> None:
    pins = application("").replace("valueFiles: []", 'parameters: [{name: greting, value: "a"}]')
    (one,) = found(checked(tmp_path / "a", web(POD), pins=pins), "unused-value")
    assert (one.message, one.fix) == (
        "The chart does not use greting in parameters of the Application.",
        "Did you mean greeting?",
    )
    assert found(checked(tmp_path / "b", web(POD)), "version-consistent") == []
    other = charts.CHART.replace('"1.2.3"', '"1.2.4"')
    (one,) = found(checked(tmp_path / "c", {**web(POD), "Chart.yaml": other}), "version-consistent")
    assert "version 1.2.3 and appVersion 1.2.4" in one.message


def test_a_random_secret_is_an_error_and_never_shown(tmp_path: Path) -> None:
    (one,) = found(checked(tmp_path, secret('{{ printf "planted-%s" (randAlphaNum 9) }}')), "stable-render")
    assert one.severity == "error"
    assert "planted" not in one.message + one.why + one.fix


def test_values_files_are_read_from_the_package(tmp_path: Path) -> None:
    files = {"values-prod.yaml": "greeting: servus\n", **web(deployment())}
    pins = application("values-prod.yaml")
    assert found(checked(tmp_path / "in", files, pins=pins), "values-file-packaged") == []
    ignored = {**files, ".helmignore": "values-prod.yaml\n"}
    (left,) = found(checked(tmp_path / "out", ignored, pins=pins), "values-file-packaged")
    assert (left.environment, left.file, left.object) == ("staging", "pins.yaml", "Application/shop-staging")
    result = checked(tmp_path / "none", web(deployment()), pins=pins)
    (absent,) = found(result, "values-file-packaged")
    assert "has no file values-prod.yaml" in absent.message
    assert result.unknown == ("staging",)


def test_rules_that_cannot_run_are_reported(tmp_path: Path) -> None:
    def notes(result: Checked) -> list[str]:
        return [one.message for one in result.findings if one.severity == "note"]

    nothing = checked(
        tmp_path / "a", web(deployment(image="other/image:v1")), checks="{follow: {greeting: bonjour}}"
    )
    assert any(
        "no rendered object contains the image ghcr.io/acme/shop" in one.message for one in nothing.failing
    )
    assert any(
        "The text bonjour was not checked against the value greeting" in note for note in notes(nothing)
    )
    schema = '{"properties": {"global": {"properties": {"imageTag": {"pattern": "^v1"}}}}}'
    narrow = checked(tmp_path / "b", {"values.schema.json": schema, **web(deployment())})
    (one,) = found(narrow, "image-follows-tag")
    assert (one.severity, narrow.reason) == ("error", "findings")
    assert "could not check whether" in one.message


def test_one_rendering_serves_two_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []
    real = helm.template

    def template(chart: Path, *, kube_version: str, **given: Any) -> str:
        asked.append((kube_version, str(given["set_values"])))
        return real(chart, kube_version=kube_version, **given)

    monkeypatch.setattr(helm, "template", template)
    meta = charts.CHART + 'kubeVersion: ">=1.20.0-0"\n'
    assert checked(tmp_path, {"Chart.yaml": meta, **web(deployment())}).reason == "verified"
    assert len(asked) == len(set(asked)) == 2  # the other rendering is that of the probe for the tag


def test_values_with_many_nested_aliases_are_refused_in_time(tmp_path: Path) -> None:
    levels = [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)]
    result = checked(tmp_path, {"values-bomb.yaml": "a0: &a0 [x]\n" + "".join(levels), **web(deployment())})
    assert result.reason == "verified"


def test_a_silenced_finding_is_listed_and_fails_nothing(tmp_path: Path) -> None:
    files = web(deployment(image="busybox", container='env: [{name: A, value: "1"}, {name: A, value: "2"}]'))
    files["templates/own.yaml"] = POD
    loud = checked(tmp_path / "loud", files)
    assert {one.rule for one in loud.failing} == {"duplicate-entry", "floating-tag"}
    silence = "{rule: duplicate-entry, object: Deployment/web, reason: the second wins}"
    half = checked(tmp_path / "half", files, checks=f"{{silence: [{silence}]}}")
    assert {one.rule for one in half.failing} == {"floating-tag"}
    assert [one.silenced for one in half.findings if one.rule == "duplicate-entry"] == ["the second wins"]
    other = silence.replace("Deployment/web", "Deployment/api")
    assert len(checked(tmp_path / "other", files, checks=f"{{silence: [{other}]}}").failing) == 2
    images = checked(tmp_path / "images", files, checks=f"{{silence: [{silence}], allow-images: [busy*]}}")
    assert images.reason == "verified"


def test_fail_on_decides_which_severity_fails(tmp_path: Path) -> None:
    files = {
        "templates/configmap.yaml": charts.CONFIGMAP.replace(".Values.greeting", "uuidv4"),
        **web(deployment()),
    }
    assert checked(tmp_path / "error", files).reason == "verified"
    assert checked(tmp_path / "warning", files, checks="{fail-on: warning}").reason == "findings"


def test_a_chart_that_only_helm_reads_is_judged(tmp_path: Path) -> None:
    """Helm completes the version, and a release may not be called as the chart is."""
    charts.write(tmp_path)
    name = "Shop_" + "x" * 60
    (tmp_path / "shop/Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: v1.2\n")
    chart = source.read(tmp_path / "shop", "shop", lenient=True)
    own = ChartSettings(path="shop", name=name)
    settings = Settings(app=name, chart=own)
    result = plan.plan(facts.read(settings, own, facts.Checkout(tmp_path, ""), {}, CheckRequest()))
    assert (chart.version, result.reason, result.unknown) == ("1.2.0", "verified", ())
