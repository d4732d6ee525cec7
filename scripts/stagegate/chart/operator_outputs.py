"""The names of objects that well-known operators create, by API group and kind of the custom resource.

The source of the names is the documentation of the operators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stagegate.chart.objects import RenderedObject
from stagegate.chart.walk import at, mapping, mappings

Names = Callable[[RenderedObject], Iterator[object]]


def _fixed(*endings: str) -> Names:
    """The object's name with each ending."""
    return lambda resource: (f"{resource.name}{ending}" for ending in endings)


def _field(*keys: str, otherwise: str = "") -> Names:
    """The text at a path of the object; without one, the object's name if `otherwise` is `name`, else nothing."""

    def names(resource: RenderedObject) -> Iterator[object]:
        value = at(resource.body, *keys)
        yield value if isinstance(value, str) and value else (resource.name if otherwise == "name" else "")

    return names


def _sealed(resource: RenderedObject) -> Iterator[object]:
    yield at(resource.body, "spec", "template", "metadata", "name") or resource.name
    yield resource.name


def _zalando(resource: RenderedObject) -> Iterator[object]:
    users = {*mapping(at(resource.body, "spec", "users")), "postgres", "standby"}
    for database in mappings(at(resource.body, "spec", "preparedDatabases")):
        users |= set(map(str, database))
    for name in mapping(at(resource.body, "spec", "preparedDatabases")):
        users |= {
            f"{str(name).replace('-', '_')}_owner_user",
            f"{str(name).replace('-', '_')}_reader_user",
            f"{str(name).replace('-', '_')}_writer_user",
        }
    for user in users:
        yield f"{str(user).replace('_', '-')}.{resource.name}.credentials.postgresql.acid.zalan.do"


def _crunchy(resource: RenderedObject) -> Iterator[object]:
    users = [user.get("name") for user in mappings(at(resource.body, "spec", "users"))] or [resource.name]
    yield from (f"{resource.name}-pguser-{user}" for user in users)
    yield from (
        f"{resource.name}{ending}"
        for ending in ("-cluster-cert", "-replication-cert", "-pgbouncer", "-monitoring")
    )


def _cnpg(resource: RenderedObject) -> Iterator[object]:
    yield from _fixed("-app", "-superuser", "-ca", "-server", "-replication")(resource)
    for role in mappings(at(resource.body, "spec", "managed", "roles")):
        yield at(role, "passwordSecret", "name")


def _strimzi(resource: RenderedObject) -> Iterator[object]:
    yield from _fixed("-cluster-ca-cert", "-cluster-ca", "-clients-ca-cert", "-clients-ca", "-kafka-brokers")(
        resource
    )
    yield f"ConfigMap/{resource.name}-kafka-config"


def _mongodb(resource: RenderedObject) -> Iterator[object]:
    for user in mappings(at(resource.body, "spec", "users")):
        yield user.get("connectionStringSecretName") or f"{resource.name}-{user.get('db')}-{user.get('name')}"
        yield f"{user.get('scramCredentialsSecretName')}-scram-credentials"
    yield at(resource.body, "spec", "secrets", "users")


def _percona(resource: RenderedObject) -> Iterator[object]:
    yield at(resource.body, "spec", "secretsName") or f"{resource.name}-secrets"
    yield at(resource.body, "spec", "secrets", "users") or f"{resource.name}-secrets"
    yield from (
        f"{resource.name}-pguser-{user.get('name')}" for user in mappings(at(resource.body, "spec", "users"))
    )


def _external(resource: RenderedObject) -> Iterator[object]:
    yield at(resource.body, "spec", "target", "name") or resource.name


def _csi(resource: RenderedObject) -> Iterator[object]:
    yield from (entry.get("secretName") for entry in mappings(at(resource.body, "spec", "secretObjects")))


def _vault(resource: RenderedObject) -> Iterator[object]:
    yield at(resource.body, "spec", "destination", "name")


MADE: Mapping[tuple[str, str], Names] = {
    ("cert-manager.io", "Certificate"): _field("spec", "secretName"),
    ("external-secrets.io", "ExternalSecret"): _external,
    ("kubernetes-client.io", "ExternalSecret"): _fixed(""),
    ("bitnami.com", "SealedSecret"): _sealed,
    ("secrets.hashicorp.com", "VaultStaticSecret"): _vault,
    ("secrets.hashicorp.com", "VaultDynamicSecret"): _vault,
    ("secrets.hashicorp.com", "VaultPKISecret"): _vault,
    ("secrets.hashicorp.com", "HCPVaultSecretsApp"): _vault,
    ("ricoberger.de", "VaultSecret"): _fixed(""),
    ("secrets-store.csi.x-k8s.io", "SecretProviderClass"): _csi,
    ("onepassword.com", "OnePasswordItem"): _fixed(""),
    ("secrets.infisical.com", "InfisicalSecret"): _field("spec", "managedSecretReference", "secretName"),
    ("secrets.doppler.com", "DopplerSecret"): _field("spec", "managedSecret", "name"),
    ("isindir.github.com", "SopsSecret"): lambda resource: (
        entry.get("name") for entry in mappings(at(resource.body, "spec", "secretTemplates"))
    ),
    ("secretgenerator.mittwald.de", "StringSecret"): _fixed(""),
    ("secretgenerator.mittwald.de", "BasicAuth"): _fixed(""),
    ("trust.cert-manager.io", "Bundle"): lambda resource: iter((f"ConfigMap/{resource.name}", resource.name)),
    ("postgresql.cnpg.io", "Cluster"): _cnpg,
    ("acid.zalan.do", "postgresql"): _zalando,
    ("postgres-operator.crunchydata.com", "PostgresCluster"): _crunchy,
    ("pgv2.percona.com", "PerconaPGCluster"): _percona,
    ("pxc.percona.com", "PerconaXtraDBCluster"): _percona,
    ("psmdb.percona.com", "PerconaServerMongoDB"): _percona,
    ("stackgres.io", "SGCluster"): _fixed(""),
    ("kubedb.com", "Postgres"): _fixed("-auth"),
    ("kubedb.com", "MySQL"): _fixed("-auth"),
    ("kubedb.com", "MongoDB"): _fixed("-auth"),
    ("kubedb.com", "Redis"): _fixed("-auth"),
    ("elasticsearch.k8s.elastic.co", "Elasticsearch"): _fixed(
        "-es-elastic-user",
        "-es-http-certs-public",
        "-es-http-certs-internal",
        "-es-http-ca-internal",
        "-es-internal-users",
        "-es-remote-ca",
        "-es-transport-certs-public",
        "-es-xpack-file-realm",
    ),
    ("kibana.k8s.elastic.co", "Kibana"): _fixed(
        "-kb-http-certs-public", "-kb-http-certs-internal", "-kb-config"
    ),
    ("apm.k8s.elastic.co", "ApmServer"): _fixed(
        "-apm-token", "-apm-http-certs-public", "-apm-http-certs-internal"
    ),
    ("rabbitmq.com", "RabbitmqCluster"): _fixed("-default-user", "-erlang-cookie"),
    ("rabbitmq.com", "User"): _fixed("-user-credentials"),
    ("kafka.strimzi.io", "Kafka"): _strimzi,
    ("kafka.strimzi.io", "KafkaUser"): lambda resource: iter(
        (
            str(
                mapping(at(resource.body, "spec", "template", "secret", "metadata")).get("name")
                or resource.name
            ),
        )
    ),
    ("kafka.strimzi.io", "KafkaConnect"): _fixed("-connect-config"),
    ("mongodbcommunity.mongodb.com", "MongoDBCommunity"): _mongodb,
    ("mongodb.com", "MongoDBUser"): _field("spec", "passwordSecretKeyRef", "name"),
    ("redis.redis.opstreelabs.in", "Redis"): _fixed(""),
    ("databases.spotahome.com", "RedisFailover"): lambda resource: iter(
        (
            f"rfr-{resource.name}",
            f"rfs-{resource.name}",
            f"ConfigMap/rfr-{resource.name}",
            f"ConfigMap/rfs-{resource.name}",
        )
    ),
    ("minio.min.io", "Tenant"): _fixed("-secret", "-tls", "-log-secret"),
    ("k8s.mariadb.com", "MariaDB"): _fixed("-root", "-password", "-metrics-password"),
    ("mysql.oracle.com", "InnoDBCluster"): _fixed("-privsecrets", "-backup", "-router"),
    ("k8ssandra.io", "K8ssandraCluster"): _fixed("-superuser"),
    ("cassandra.datastax.com", "CassandraDatacenter"): lambda resource: iter(
        (f"{at(resource.body, 'spec', 'clusterName') or resource.name}-superuser".lower(),)
    ),
    ("k8s.keycloak.org", "Keycloak"): _fixed("-initial-admin"),
    ("nats.io", "NatsCluster"): _fixed("-secret"),
    ("cdi.kubevirt.io", "DataVolume"): lambda resource: iter((f"PersistentVolumeClaim/{resource.name}",)),
    ("app.redislabs.com", "RedisEnterpriseDatabase"): lambda resource: iter((f"redb-{resource.name}",)),
    ("objectbucket.io", "ObjectBucketClaim"): lambda resource: iter(
        (resource.name, f"ConfigMap/{resource.name}")
    ),
    ("sql.cnrm.cloud.google.com", "SQLUser"): _fixed(""),
    ("monitoring.coreos.com", "Prometheus"): lambda resource: iter(
        (
            f"prometheus-{resource.name}",
            f"prometheus-{resource.name}-web-config",
            f"prometheus-{resource.name}-tls-assets",
        )
    ),
    ("monitoring.coreos.com", "Alertmanager"): lambda resource: iter(
        (f"alertmanager-{resource.name}-generated", f"alertmanager-{resource.name}-tls-assets-0")
    ),
}
