"""Each risk class is found in its change, and in no other of these changes."""

from __future__ import annotations

import textwrap

import msgspec
import pytest

from stagegate.chart import objects
from stagegate.difference import compare, hook_jobs, irreversible, risks

STATEFUL = """
    apiVersion: apps/v1
    kind: StatefulSet
    metadata: {name: db}
    spec:
      replicas: 3
      serviceName: db
      volumeClaimTemplates:
        - metadata: {name: data}
          spec: {resources: {requests: {storage: 10Gi}}}
"""
DEPLOYMENT = """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web, namespace: shop}
    spec:
      replicas: 2
      selector: {matchLabels: {app: web}}
      template:
        spec:
          serviceAccountName: web
          containers: [{name: web, image: ghcr.io/acme/shop:v1.0.0}]
"""
CLUSTER = """
    apiVersion: postgresql.cnpg.io/v1
    kind: Cluster
    metadata: {name: db}
    spec: {instances: 3, storage: {size: 100Gi}}
"""
CLAIM = """
    apiVersion: v1
    kind: PersistentVolumeClaim
    metadata: {name: data}
    spec: {storageClassName: fast, resources: {requests: {storage: 1Ti}}}
"""
ROLE = """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: Role
    metadata: {name: r}
    rules: [{apiGroups: [""], resources: [pods], verbs: [get, list]}]
"""
BINDING = """
    apiVersion: rbac.authorization.k8s.io/v1
    kind: ClusterRoleBinding
    metadata: {name: b}
    roleRef: {kind: ClusterRole, name: view}
    subjects: [{kind: ServiceAccount, namespace: shop, name: web}]
"""
SECRET = """
    apiVersion: v1
    kind: Secret
    metadata: {name: s}
    data: {password: YQ==}
"""
JOB = """
    apiVersion: batch/v1
    kind: Job
    metadata: {name: migrate, annotations: {helm.sh/hook: "pre-upgrade,post-install"}}
    spec: {template: {spec: {containers: [{name: m, image: ghcr.io/acme/shop:v1.0.0}]}}}
"""
CRD = """
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata: {name: dbs.example.com}
    spec: {scope: Namespaced}
"""
NAMESPACE = """
    apiVersion: v1
    kind: Namespace
    metadata: {name: shop}
"""
ACCOUNT = """
    apiVersion: v1
    kind: ServiceAccount
    metadata: {name: web}
"""
OTHER = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: other}
"""
PLAIN_JOB = JOB.replace(', annotations: {helm.sh/hook: "pre-upgrade,post-install"}', "")

CASES: dict[str, tuple[str, str, set[str]]] = {
    "a StatefulSet is removed": (STATEFUL, "", {"stateful-removed"}),
    "a claim is removed": (CLAIM, "", {"stateful-removed"}),
    "a database is removed": (CLUSTER, "", {"stateful-removed"}),
    "a claim template is renamed": (
        STATEFUL,
        STATEFUL.replace("name: data", "name: store"),
        {"stateful-removed", "immutable-field"},
    ),
    "storage of a database shrinks": (CLUSTER, CLUSTER.replace("100Gi", "10Gi"), {"stateful-shrunk"}),
    "storage grows in another unit": (CLUSTER, CLUSTER.replace("100Gi", "1Ti"), set()),
    "storage shrinks in another unit": (CLAIM, CLAIM.replace("1Ti", "999Gi"), {"stateful-shrunk"}),
    "a StatefulSet has fewer members": (
        STATEFUL,
        STATEFUL.replace("replicas: 3", "replicas: 1"),
        {"stateful-shrunk"},
    ),
    "a Deployment has fewer replicas": (DEPLOYMENT, DEPLOYMENT.replace("replicas: 2", "replicas: 1"), set()),
    "a selector changes": (DEPLOYMENT, DEPLOYMENT.replace("app: web", "app: shop"), {"immutable-field"}),
    "a storage class changes": (CLAIM, CLAIM.replace("fast", "slow"), {"immutable-field"}),
    "a plain Job changes": (PLAIN_JOB, PLAIN_JOB.replace("v1.0.0", "v2"), {"immutable-field"}),
    "a CRD changes": (CRD, CRD.replace("Namespaced", "Cluster"), {"crd-changed"}),
    "a CRD is removed": (CRD, "", {"crd-changed"}),
    "a CRD is added": ("", CRD, set()),
    "a role may do more": (ROLE, ROLE.replace("list]", "list, delete]"), {"rbac-widened"}),
    "a role may do less": (ROLE, ROLE.replace(", list]", "]"), set()),
    "a role is added": ("", ROLE, {"rbac-widened"}),
    "a binding gets a subject": (BINDING, BINDING.replace("name: web", "name: root"), {"rbac-widened"}),
    "a binding gives another role": (
        BINDING,
        BINDING.replace("name: view", "name: admin"),
        {"rbac-widened", "immutable-field"},
    ),
    "no replicas are left": (DEPLOYMENT, DEPLOYMENT.replace("replicas: 2", "replicas: 0"), {"replicas-zero"}),
    "an image comes from elsewhere": (
        DEPLOYMENT,
        DEPLOYMENT.replace("ghcr.io/acme", "evil.example.com/acme"),
        {"new-registry"},
    ),
    "an image is new": (DEPLOYMENT, DEPLOYMENT.replace("v1.0.0", "v1.1.0"), set()),
    "a Secret gets another value": (SECRET, SECRET.replace("YQ==", "Yg=="), {"secret-regenerated"}),
    "a migration is new": (DEPLOYMENT, DEPLOYMENT + "---" + JOB, {"hook-job"}),
    "a migration changes": (JOB, JOB.replace("v1.0.0", "v1.1.0"), {"hook-job"}),
    "a test hook changes": (
        JOB.replace("pre-upgrade,post-install", "test"),
        JOB.replace("pre-upgrade,post-install", "test").replace("name: m,", "name: n,"),
        set(),
    ),
    "an Argo CD hook is new": (
        "",
        JOB.replace('helm.sh/hook: "pre-upgrade,post-install"', "argocd.argoproj.io/hook: PreSync"),
        {"hook-job"},
    ),
    "pods run as somebody else": (
        DEPLOYMENT,
        DEPLOYMENT.replace("AccountName: web", "AccountName: root"),
        {"service-account"},
    ),
    "an account is removed": (ACCOUNT, "", {"service-account"}),
    "an object moves": (DEPLOYMENT, DEPLOYMENT.replace("namespace: shop", "namespace: other"), {"namespace"}),
    "a Namespace is removed": (NAMESPACE, "", {"namespace"}),
}


@pytest.mark.parametrize("case", CASES)
def test_each_risk_is_found_in_its_change(case: str) -> None:
    before, after, expected = CASES[case]
    old, new = (objects.parse(textwrap.dedent(f"{text}---{OTHER}"), "t") for text in (before, after))
    found = risks(compare(old, new, b"k"))
    assert {risk.kind for risk in found} == expected
    assert all(risk.object and risk.detail for risk in found)


def test_a_first_installation_has_no_risk() -> None:
    assert risks(compare((), objects.parse(textwrap.dedent(ROLE), "t"), b"k")) == ()


OURS = ("ghcr.io/acme/shop",)
MIGRATION = """
    apiVersion: batch/v1
    kind: Job
    metadata:
      name: migrate
      labels: {app.kubernetes.io/version: 1.0.0, helm.sh/chart: shop-1.0.0}
      annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
    spec:
      template:
        metadata: {annotations: {checksum/config: aaaa}}
        spec:
          serviceAccountName: migrate
          initContainers: [{name: wait, image: "ghcr.io/acme/shop:v1.0.0"}]
          containers:
            - name: m
              image: ghcr.io/acme/shop:v1.0.0
              command: [migrate]
              env: [{name: MODE, value: safe}]
              envFrom: [{configMapRef: {name: schema}}]
          volumes: [{name: v, emptyDir: {}}]
"""
SCHEMA = """
    apiVersion: v1
    kind: ConfigMap
    metadata: {name: schema}
    data: {version: v1.0.0, table: orders}
"""
NEXT = MIGRATION.replace("1.0.0", "1.1.0").replace("aaaa", "bbbb")
MIGRATIONS: dict[str, tuple[str, str, bool]] = {
    "the release": (MIGRATION, NEXT, False),
    "the release, which is in the name": (
        MIGRATION.replace("name: migrate\n", "name: migrate-1-0-0\n"),
        NEXT.replace("name: migrate\n", "name: migrate-1-1-0\n"),
        False,
    ),
    "the release by digest": (
        MIGRATION.replace(":v1.0.0", "@sha256:" + "a" * 64),
        NEXT.replace(":v1.1.0", "@sha256:" + "b" * 64),
        False,
    ),
    "a value that follows the version": (
        f"{MIGRATION}---{SCHEMA}",
        f"{NEXT}---{SCHEMA.replace('v1.0.0', 'v1.1.0')}",
        False,
    ),
    "its environment in a ConfigMap": (
        f"{MIGRATION}---{SCHEMA}",
        f"{NEXT}---{SCHEMA.replace('orders', 'bills')}",
        True,
    ),
    "its command": (MIGRATION, NEXT.replace("[migrate]", "[migrate, --drop]"), True),
    "its environment": (MIGRATION, NEXT.replace("safe", "bold"), True),
    "its permissions": (MIGRATION, NEXT.replace("AccountName: migrate", "AccountName: root"), True),
    "its volumes": (MIGRATION, NEXT.replace("emptyDir: {}", "hostPath: {path: /}"), True),
    "when it runs": (MIGRATION, NEXT.replace("pre-install,pre-upgrade", "post-install"), True),
    "an image of others": (
        MIGRATION.replace("acme/shop:", "other/tool:"),
        NEXT.replace("acme/shop:", "other/tool:"),
        True,
    ),
    "another image of ours": (MIGRATION, NEXT.replace("name: m\n", "name: other\n"), True),
}


@pytest.mark.parametrize("case", MIGRATIONS)
def test_a_migration_is_a_risk_only_where_more_than_the_release_changes_in_it(case: str) -> None:
    before, after, is_risk = MIGRATIONS[case]
    old, new = (objects.parse(textwrap.dedent(f"{text}---{OTHER}"), "t") for text in (before, after))
    found = msgspec.structs.replace(compare(old, new, b"k"), first_party=OURS)
    assert ("hook-job" in {risk.kind for risk in risks(found)}) is is_risk
    assert bool(tuple(hook_jobs.followers(found))) is not is_risk
    assert irreversible(found) == ()
    assert hook_jobs.unmarked(found)


VERSIONED = CRD.replace(
    "Namespaced}", "Namespaced, versions: [{name: v1, served: true}, {name: v2, served: true}]}"
)


def test_marked_objects_and_lost_versions_of_definitions_cannot_be_undone() -> None:
    marked = DEPLOYMENT.replace("namespace: shop", 'annotations: {stagegate/irreversible: "schema 12"}')
    marked_job = JOB.replace("post-install", 'post-install", stagegate/irreversible: "true')
    for before, after, word in (
        (OTHER, OTHER + "---" + marked_job, "Job/migrate"),
        (
            VERSIONED,
            VERSIONED.replace(", {name: v2, served: true}", ""),
            "CustomResourceDefinition/dbs.example.com",
        ),
        (VERSIONED + "---" + OTHER, OTHER, "CustomResourceDefinition/dbs.example.com"),
        (marked, marked.replace("replicas: 2", "replicas: 3"), "Deployment/web"),
    ):
        old, new = (objects.parse(textwrap.dedent(text), "t") for text in (before, after))
        found = compare(old, new, b"k")
        (why,) = irreversible(found)
        assert why.startswith(word)
        assert hook_jobs.unmarked(found) == ()
    for before, after in (
        (DEPLOYMENT, DEPLOYMENT.replace("2", "3")),
        (OTHER, OTHER + "---" + JOB),
        (VERSIONED, VERSIONED.replace("Namespaced", "Cluster")),
        (VERSIONED.replace(", {name: v2, served: true}", ""), VERSIONED),
    ):
        old, new = (objects.parse(textwrap.dedent(text), "t") for text in (before, after))
        assert irreversible(compare(old, new, b"k")) == ()
