"""dangling-reference: Secrets, ConfigMaps, claims and accounts that pods name exist."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase

from stagegate.chart import operators, references
from stagegate.chart.objects import RenderedObject, leaves
from stagegate.chart.pods import makes_secrets
from stagegate.chart.rule import ChartRule, CheckFacts, Rendered, Twin, finding, shown
from stagegate.chart.walk import containers, is_test, mappings, pod_template
from stagegate.model import Finding, Severity

_ALWAYS = frozenset(
    (
        ("ServiceAccount", "default"),
        ("ConfigMap", "kube-root-ca.crt"),
        ("ConfigMap", "openshift-service-ca.crt"),
        ("ConfigMap", "istio-ca-root-cert"),
    )
)
_SCRIPTS = (".sh", ".js", ".mjs", ".ts", ".py", ".rb", ".pl")
_MAKES = re.compile(r"create|\bapply\b|\bPOST\b|\bPUT\b", re.IGNORECASE)
_WHY = "A pod does not start until every object that it names exists."
_PERHAPS = " A workload of the chart is allowed to create Secrets, and may create this object."
_MILD = "The pod starts without this object, but cannot pull a private image, or uses a default certificate."


def check(rendered: Rendered, chart: CheckFacts) -> Iterator[Finding]:
    """One finding for each missing object, with all its places."""
    objects = rendered.objects or ()
    release_namespace = rendered.namespace
    existing = {
        (resource.kind, resource.namespace or release_namespace, resource.name) for resource in objects
    } | set(operators.made(objects, release_namespace))
    missing: dict[tuple[str, str], list[tuple[RenderedObject, references.ObjectReference]]] = defaultdict(
        list
    )
    for resource in objects:
        for reference in references.of(resource, release_namespace) if not is_test(resource) else ():
            exists = (reference.kind, resource.namespace or release_namespace, reference.name) in existing
            if not exists and (reference.kind, reference.name) not in _ALWAYS:
                missing[reference.kind, reference.name].append((resource, reference))
    named = [name for kind, name in missing if kind == "Secret" and _maker(name, objects)]
    for (kind, name), several in missing.items():
        label = f"{kind}/{name}"
        if any(fnmatchcase(label, pattern) for pattern in chart.checks.external):
            continue
        maker = _maker(name, objects) if kind in ("Secret", "ConfigMap") else None
        severity = _severity(several, kind, maker, named, objects)
        places = [f"{resource.label} ({reference.place})" for resource, reference in several]
        by = f" {maker.label} names this {kind} and is allowed to create it." if maker else ""
        yield finding(
            "dangling-reference",
            several[0][0],
            rendered,
            chart,
            severity=severity,
            message=f"{label} is not rendered, but {shown(list(dict.fromkeys(places)))} needs it.",
            why=_reason(several, severity) + by,
            fix="Correct the name, or render the object. If the object is created outside the chart, "
            f"add `- {label}` under chart.checks.external.",
        )


def _severity(
    several: list[tuple[RenderedObject, references.ObjectReference]],
    kind: str,
    maker: RenderedObject | None,
    named: list[str],
    objects: tuple[RenderedObject, ...],
) -> Severity:
    """The severity by effect; a note if a container gets the name, because it may create the object at run time.

    A program that may create Secrets and gets no names could create any of them, so that is only a warning.
    """
    if maker is not None:
        return "note"
    worst: Severity = "error" if any(reference.severity == "error" for _, reference in several) else "warning"
    if kind == "Secret" and worst == "error" and not named and makes_secrets_of(objects):
        return "warning"
    return worst


def _reason(several: list[tuple[RenderedObject, references.ObjectReference]], severity: Severity) -> str:
    needed = any(reference.severity == "error" for _, reference in several)
    if not needed:
        return _MILD
    return _WHY + (_PERHAPS if severity == "warning" else "")


def makes_secrets_of(objects: tuple[RenderedObject, ...]) -> bool:
    """Whether a rendered role allows the creation of Secrets."""
    return makes_secrets(Rendered(namespace="", objects=objects))


def _maker(name: str, objects: tuple[RenderedObject, ...]) -> RenderedObject | None:
    """An object that may create the one with this name, or None.

    Its container gets the name as an argument or variable, its script contains it, or it is a custom resource of an
    unknown operator that names it.
    """
    word = re.compile(rf"(?<![\w.-]){re.escape(name)}(?![\w.-])")
    for resource in objects:
        if resource.kind == "ConfigMap":
            if any(word.search(text) and _MAKES.search(text) for text in _scripts(resource)):
                return resource
            continue
        if operators.unknown(resource) and any(text == name for _, text in leaves(resource.body.get("spec"))):
            return resource
        spec = pod_template(resource).get("spec")
        for container in containers(spec) if isinstance(spec, dict) else ():
            texts = [str(text) for key in ("command", "args") for text in container.get(key) or ()]
            texts += [str(entry.get("value") or "") for entry in mappings(container.get("env"))]
            if any(word.search(text) for text in texts):
                return resource
    return None


def _scripts(resource: RenderedObject) -> Iterator[str]:
    """The programs in a ConfigMap."""
    for path, text in leaves(resource.body.get("data")):
        if "kubectl" in text or path.endswith(_SCRIPTS):
            yield text


_POD = (
    "apiVersion: v1\nkind: Pod\nmetadata: {name: more}\n"
    "spec: {containers: [], volumes: [{name: v, secret: {secretName: %s}}]}\n"
)

RULE = ChartRule(
    id="dangling-reference",
    severity="error",
    about="Secrets, ConfigMaps, claims and accounts that pods name exist",
    why=_WHY,
    fix="Correct the name, render the object, or list the object under chart.checks.external.",
    details="Objects that these operators create count as existing: cert-manager, External Secrets, Sealed "
    "Secrets, Vault, the Secrets Store CSI driver, 1Password, Infisical, Doppler, CloudNativePG, "
    "Zalando, Crunchy, Percona, ECK, RabbitMQ, Strimzi, MongoDB, Redis, MinIO, MariaDB, MySQL, "
    "Cassandra, Keycloak, Prometheus. Claims of StatefulSets count as existing too. Pull secrets, "
    "TLS Secrets of an Ingress and subjects of bindings are warnings.",
    check=check,
    bad=Twin(files={"templates/more.yaml": _POD % "nowhere"}),
    good=Twin(files={"templates/more.yaml": _POD % "kiosk-login"}),
)
