"""Objects that public charts render and a cluster accepts give no error; the same with one mistake gives one."""

from __future__ import annotations

import pytest

from stagegate.chart import objects, rules
from stagegate.chart.rule import CheckFacts, Rendered
from stagegate.model import Finding

DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, properties: {labels: {type: object, description: "Of its pods: any."}}}}
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: KIND
metadata: {name: web}
spec:
  SPEC
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      POD
      containers:
        - name: web
          image: example/web:1.2
          CONTAINER
"""
WEB_SERVICE = (
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: web-headless}\n"
    "spec: {selector: {app: web}, ports: [{port: 80}]}\n"
)
LEADER = """\
---
apiVersion: v1
kind: Service
metadata: {name: leader}
spec: {selector: {app: web, role: leader}, ports: [{port: 80}]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: leader}
rules: [{apiGroups: [""], resources: [pods], verbs: [patch]}]
"""
SERVING = """\
---
apiVersion: v1
kind: Service
metadata: {name: web, annotations: {service.beta.openshift.io/serving-cert-secret-name: web-tls}}
spec: {selector: {app: web}, ports: [{port: 443}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: ca, annotations: {service.beta.openshift.io/inject-cabundle: "true"}}
data: {readme: filled by the cluster}
"""
SERVING_VOLUMES = (
    "volumes: [{name: tls, secret: {secretName: web-tls}},"
    " {name: ca, configMap: {name: ca, items: [{key: service-ca.crt, path: ca.crt}]}}]"
)
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader}
roleRef: {kind: Role, name: extension-apiserver-authentication-reader}
"""
POLICY = """\
apiVersion: nvidia.com/v1
kind: ClusterPolicy
metadata: {name: gpu}
spec: {parts: [{repository: example.com/gpu, image: driver, version: "550"}]}
"""
WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec: {templates: [{container: {image: "{{inputs.parameters.image}}"}}]}
"""
SCRIPT = """\
---
apiVersion: v1
kind: ConfigMap
metadata: {name: programs}
data: {token.js: "post('POST', 'web-token')"}
"""
DISK = "---\napiVersion: cdi.kubevirt.io/v1beta1\nkind: DataVolume\nmetadata: {name: disk}\n"
UNKNOWN = (
    "---\napiVersion: aiven.io/v1alpha1\nkind: PostgreSQL\nmetadata: {name: pg}\n"
    "spec: {connInfoSecretTarget: {name: pg-login}}\n"
)
SERVICE = (
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    "spec: {clusterIP: None, selector: {app: web}, ports: [{name: http, port: 80}]}\n"
)
SCHEDULE = """\
apiVersion: batch/v1
kind: CronJob
metadata: {name: night}
spec:
  schedule: "*/5 1-5 * jan-mar MON-FRI"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: "h.example:5000/a_b/c-d@sha256:0a"}]}}}}
"""
ROUTE = (
    "---\napiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: web}\n"
    "spec: {rules: [{backendRefs: [{name: web, port: 80}]}]}\n"
)
SCALED = (
    "---\napiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: web}\n"
    "spec: {scaleTargetRef: {name: web, kind: Deployment}}\n"
)


def workload(kind: str = "Deployment", *, spec: str = "", pod: str = "", container: str = "") -> str:
    text = WORKLOAD.replace("KIND", kind).replace("SPEC", spec)
    return text.replace("POD", pod).replace("CONTAINER", container)


def volume(source: str) -> str:
    return workload(pod=f"volumes: [{{name: v, {source}}}]")


def environment(secret: str) -> str:
    return workload(container=f"envFrom: [{{secretRef: {{name: {secret}}}}}]")


def errors(text: str, templates: dict[str, str] | None = None) -> list[Finding]:
    """The errors of every rule that looks at rendered objects."""
    bodies, broken = objects.parse_each(text)
    rendered = Rendered(namespace="kube-system", objects=bodies, broken=broken)
    chart = CheckFacts(path="charts/x", kube_version="1.36", templates=templates or {}, rendered=(rendered,))
    found = [
        one for rule in rules.all_rules() if rule.check is not None for one in rule.check(rendered, chart)
    ]
    return [one for one in found if one.severity == "error"]


# the rule, what is accepted, what is written instead, and the same with the mistake
CASES = [
    ("kubernetes-schema", DEFINITION, "scope: Namespaced", "scope: 1"),
    (
        "kubernetes-schema",
        workload("DaemonSet", container="volumeMounts: [{name: v, mountPath: 'C:/config'}]").replace(
            "containers:", "volumes: [{name: v, emptyDir: {}}]\n      containers:"
        ),
        "C:/config",
        "/config:ro",
    ),
    (
        "kubernetes-schema",
        workload(container="livenessProbe: {httpGet: {port: 80, httpHeaders: [{name: X}]}}"),
        "{name: X}",
        "{value: X}",
    ),
    ("kubernetes-schema", workload(), "example/web:1.2", "example/Web:1.2"),
    ("kubernetes-schema", workload(), "example/web:1.2", '" example/web:1.2"'),
    ("kubernetes-schema", workload(), "example/web:1.2", '"example/web:"'),
    ("kubernetes-schema", volume("emptyDir: {}"), "{name: v,", "{name: my_v,"),
    (
        "kubernetes-schema",
        workload(container="resources: {requests: {cpu: 100m}}"),
        "cpu: 100m",
        'cpu: "-100m"',
    ),
    (
        "kubernetes-schema",
        workload(spec="strategy: {rollingUpdate: {maxSurge: 25%}}"),
        "maxSurge: 25%",
        'maxSurge: "25"',
    ),
    ("kubernetes-schema", workload() + SERVICE, "clusterIP: None", "clusterIP: none"),
    ("kubernetes-schema", workload() + SERVICE, "name: http,", "name: Http,"),
    ("kubernetes-schema", SCHEDULE, "1-5 *", "5-1 *"),
    ("kubernetes-schema", SCHEDULE, "*/5", "*/0"),
    ("kubernetes-schema", SCHEDULE, "MON-FRI", "Mo-FRI"),
    ("broken-link", workload() + SERVICE + ROUTE, "{name: web, port: 80}", "{name: wep, port: 80}"),
    ("broken-link", workload() + SERVICE + ROUTE, "{name: web, port: 80}", "{name: web, port: 81}"),
    ("broken-link", workload() + SCALED, "{name: web, kind: Deployment}", "{name: wep}"),
    ("broken-link", BINDING, "extension-apiserver-authentication-reader", "reader"),
    ("broken-link", workload("StatefulSet", spec="serviceName: pods"), "app: web}\n", "app: web}\n"),
    (
        "broken-link",
        workload("StatefulSet", spec="serviceName: web-headless") + WEB_SERVICE,
        "serviceName: web-headless",
        "serviceName: web-headles",
    ),
    ("broken-link", workload() + LEADER, "{app: web, role: leader}", "{app: wep, role: leader}"),
    (
        "broken-link",
        workload(pod=SERVING_VOLUMES) + SERVING,
        "service.beta.openshift.io/inject-cabundle",
        "example.org/note",
    ),
    (
        "dangling-reference",
        workload(pod=SERVING_VOLUMES) + SERVING,
        "serving-cert-secret-name",
        "serving-cert-secret",
    ),
    ("dangling-reference", volume("configMap: {name: istio-ca-root-cert}"), "istio-ca-root", "istio-ca"),
    (
        "dangling-reference",
        volume("persistentVolumeClaim: {claimName: disk}") + DISK,
        "claimName: disk",
        "claimName: disc",
    ),
    ("dangling-reference", environment("web-token") + SCRIPT, "'web-token'", "'webtoken'"),
    (
        "dangling-reference",
        environment("pg-login") + UNKNOWN,
        "{secretRef: {name: pg-login}}",
        "{secretRef: {name: pg}}",
    ),
    ("floating-tag", POLICY, 'repository: example.com/gpu, image: driver, version: "550"', "image: driver"),
    ("floating-tag", WORKFLOW, "{{inputs.parameters.image}}", "busybox"),
    ("duplicate-entry", f"{DEFINITION}---\n{DEFINITION}", "scope: Namespaced", "scope: Cluster"),
]


@pytest.mark.parametrize(("rule", "accepted", "instead", "mistake"), CASES)
def test_a_rule_reports_only_the_mistake(rule: str, accepted: str, instead: str, mistake: str) -> None:
    assert errors(accepted) == []
    if instead != mistake:
        assert rule in {one.rule for one in errors(accepted.replace(instead, mistake, 1))}


@pytest.mark.parametrize(
    ("template", "severe"),
    [
        ('{{ if .Capabilities.APIVersions.Has "policy/v1beta1" }}', False),
        ("{{ if (.Capabilities.APIVersions.Has `policy/v1beta1/PodDisruptionBudget`) }}", False),
        ('{{ if .Capabilities.APIVersions.Has "policy/v1" }}', True),
        ("apiVersion: policy/v1beta1", True),
    ],
)
def test_an_old_api_is_accepted_where_the_chart_tests_for_it(template: str, severe: bool) -> None:
    budget = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\nspec: {minAvailable: 1}\n"
    assert bool(errors(budget, {"templates/_names.tpl": template})) is severe


def test_a_defect_of_a_helper_is_one_finding() -> None:
    """A helper puts the label into every object: one finding. Two objects that have it by themselves: two findings."""
    labelled = [
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{number}, labels: {{chart: x-1.0.0+build}}}}\n"
        for number in range(5)
    ]
    (one,) = errors("---\n".join(labelled))
    assert one.message.startswith(
        "ConfigMap/c0, ConfigMap/c1, ConfigMap/c2 and 2 more: metadata.labels.chart is"
    )
    assert len(errors("---\n".join(labelled[:2]))) == len(labelled[:2])


@pytest.mark.parametrize(
    ("container", "said"),
    [
        (
            "env: [{name: A, value: a}, {name: A, value: b}]",
            "Deployment/w0, Deployment/w1, Deployment/w2 and 1 more: each has the variable A twice.",
        ),
        (
            "volumeMounts: [{name: gone, mountPath: /g}]",
            "Deployment/w0, Deployment/w1, Deployment/w2 and 1 more: each mounts the volume gone in a container, ",
        ),
    ],
)
def test_a_defect_of_a_helper_in_every_workload_is_one_finding(container: str, said: str) -> None:
    several = [workload(container=container).replace("name: web", f"name: w{number}") for number in range(4)]
    (one,) = errors("---\n".join(several))
    assert one.message.startswith(said)
