"""The names of what well-known operators make, by the API group and kind of what they make it of.

Names are those of the operators' documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from stagegate.chart.objects import RenderedObject
from stagegate.chart.walk import at, mapping, mappings

Names = Callable[[RenderedObject], Iterator[object]]


def _fixed(*endings: str) -> Names:
    """The object's name with each ending."""
    return lambda one: (f"{one.name}{ending}" for ending in endings)


def _field(*keys: str, otherwise: str = "") -> Names:
    """The text at a path of the object; where there is none, its name with `otherwise` in front of it."""

    def names(one: RenderedObject) -> Iterator[object]:
        value = at(one.body, *keys)
        yield value if isinstance(value, str) and value else (one.name if otherwise == "name" else "")

    return names


def _sealed(one: RenderedObject) -> Iterator[object]:
    yield at(one.body, "spec", "template", "metadata", "name") or one.name
    yield one.name


def _zalando(one: RenderedObject) -> Iterator[object]:
    users = {*mapping(at(one.body, "spec", "users")), "postgres", "standby"}
    for database in mappings(at(one.body, "spec", "preparedDatabases")):
        users |= set(map(str, database))
    for name in mapping(at(one.body, "spec", "preparedDatabases")):
        users |= {
            f"{str(name).replace('-', '_')}_owner_user",
            f"{str(name).replace('-', '_')}_reader_user",
            f"{str(name).replace('-', '_')}_writer_user",
        }
    for user in users:
        yield f"{str(user).replace('_', '-')}.{one.name}.credentials.postgresql.acid.zalan.do"


def _crunchy(one: RenderedObject) -> Iterator[object]:
    users = [user.get("name") for user in mappings(at(one.body, "spec", "users"))] or [one.name]
    yield from (f"{one.name}-pguser-{user}" for user in users)
    yield from (
        f"{one.name}{ending}"
        for ending in ("-cluster-cert", "-replication-cert", "-pgbouncer", "-monitoring")
    )


def _cnpg(one: RenderedObject) -> Iterator[object]:
    yield from _fixed("-app", "-superuser", "-ca", "-server", "-replication")(one)
    for role in mappings(at(one.body, "spec", "managed", "roles")):
        yield at(role, "passwordSecret", "name")


def _strimzi(one: RenderedObject) -> Iterator[object]:
    yield from _fixed("-cluster-ca-cert", "-cluster-ca", "-clients-ca-cert", "-clients-ca", "-kafka-brokers")(
        one
    )
    yield f"ConfigMap/{one.name}-kafka-config"


def _mongodb(one: RenderedObject) -> Iterator[object]:
    for user in mappings(at(one.body, "spec", "users")):
        yield user.get("connectionStringSecretName") or f"{one.name}-{user.get('db')}-{user.get('name')}"
        yield f"{user.get('scramCredentialsSecretName')}-scram-credentials"
    yield at(one.body, "spec", "secrets", "users")


def _percona(one: RenderedObject) -> Iterator[object]:
    yield at(one.body, "spec", "secretsName") or f"{one.name}-secrets"
    yield at(one.body, "spec", "secrets", "users") or f"{one.name}-secrets"
    yield from (f"{one.name}-pguser-{user.get('name')}" for user in mappings(at(one.body, "spec", "users")))


def _external(one: RenderedObject) -> Iterator[object]:
    yield at(one.body, "spec", "target", "name") or one.name


def _csi(one: RenderedObject) -> Iterator[object]:
    yield from (entry.get("secretName") for entry in mappings(at(one.body, "spec", "secretObjects")))


def _vault(one: RenderedObject) -> Iterator[object]:
    yield at(one.body, "spec", "destination", "name")


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
    ("isindir.github.com", "SopsSecret"): lambda one: (
        entry.get("name") for entry in mappings(at(one.body, "spec", "secretTemplates"))
    ),
    ("secretgenerator.mittwald.de", "StringSecret"): _fixed(""),
    ("secretgenerator.mittwald.de", "BasicAuth"): _fixed(""),
    ("trust.cert-manager.io", "Bundle"): lambda one: iter((f"ConfigMap/{one.name}", one.name)),
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
    ("kafka.strimzi.io", "KafkaUser"): lambda one: iter(
        (str(mapping(at(one.body, "spec", "template", "secret", "metadata")).get("name") or one.name),)
    ),
    ("kafka.strimzi.io", "KafkaConnect"): _fixed("-connect-config"),
    ("mongodbcommunity.mongodb.com", "MongoDBCommunity"): _mongodb,
    ("mongodb.com", "MongoDBUser"): _field("spec", "passwordSecretKeyRef", "name"),
    ("redis.redis.opstreelabs.in", "Redis"): _fixed(""),
    ("databases.spotahome.com", "RedisFailover"): lambda one: iter(
        (f"rfr-{one.name}", f"rfs-{one.name}", f"ConfigMap/rfr-{one.name}", f"ConfigMap/rfs-{one.name}")
    ),
    ("minio.min.io", "Tenant"): _fixed("-secret", "-tls", "-log-secret"),
    ("k8s.mariadb.com", "MariaDB"): _fixed("-root", "-password", "-metrics-password"),
    ("mysql.oracle.com", "InnoDBCluster"): _fixed("-privsecrets", "-backup", "-router"),
    ("k8ssandra.io", "K8ssandraCluster"): _fixed("-superuser"),
    ("cassandra.datastax.com", "CassandraDatacenter"): lambda one: iter(
        (f"{at(one.body, 'spec', 'clusterName') or one.name}-superuser".lower(),)
    ),
    ("k8s.keycloak.org", "Keycloak"): _fixed("-initial-admin"),
    ("nats.io", "NatsCluster"): _fixed("-secret"),
    ("cdi.kubevirt.io", "DataVolume"): lambda one: iter((f"PersistentVolumeClaim/{one.name}",)),
    ("app.redislabs.com", "RedisEnterpriseDatabase"): lambda one: iter((f"redb-{one.name}",)),
    ("objectbucket.io", "ObjectBucketClaim"): lambda one: iter((one.name, f"ConfigMap/{one.name}")),
    ("sql.cnrm.cloud.google.com", "SQLUser"): _fixed(""),
    ("monitoring.coreos.com", "Prometheus"): lambda one: iter(
        (f"prometheus-{one.name}", f"prometheus-{one.name}-web-config", f"prometheus-{one.name}-tls-assets")
    ),
    ("monitoring.coreos.com", "Alertmanager"): lambda one: iter(
        (f"alertmanager-{one.name}-generated", f"alertmanager-{one.name}-tls-assets-0")
    ),
}
