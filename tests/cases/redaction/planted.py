"""Secrets as people leave them in manifests: one form for each way, several secrets in each form.

A form is a manifest with `@` where the secret stands. None of the secrets may be seen in a difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

SECRETS = ("hunter2hunter2", "correct-horse-Battery", "Tr0ub4dor&3", "swordfish-is-it", "P4ss!word#9")
# Secrets that only machines make, for the forms in which only the value shows that it is one.
KEYS = (
    "9f86d081884c7d659a2feaa0c55ad015",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "ghp_x9Y2kLm4Qr7TuVw0ZaBcDeFgHiJkLmNoPq12",
    "glpat-Zx8Qw2Rt5Yu7Io9Pa3Sd",
    "xoxb-210987654321-AbCdEfGhIjKl",
    "AKIAIOSFODNN7EXAMPLQ",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJzaG9wIn0.s5dVx2Hq9",
)


def env(name: str, value: str = "@") -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\nspec:\n  template:\n    spec:\n      containers:\n"
        f"        - name: shop\n          image: ghcr.io/acme/shop:v1\n          env: [{{name: {name}, value: {json.dumps(value)}}}]\n"
    )


def args(*values: str) -> str:
    listed = json.dumps(values)
    return (
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: shop}\nspec:\n  template:\n    spec:\n      containers:\n"
        f"        - name: shop\n          image: ghcr.io/acme/shop:v1\n          args: [{listed}]\n"
    )


def config(key: str, text: str = "@") -> str:
    body = "\n".join(f"    {line}" for line in text.splitlines())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shop}}\ndata:\n  {key}: |-\n{body}\n"


def custom(spec: str, kind: str = "Thing", group: str = "example.com/v1") -> str:
    body = "\n".join(f"  {line}" for line in spec.splitlines())
    return f"apiVersion: {group}\nkind: {kind}\nmetadata: {{name: shop}}\nspec:\n{body}\n"


def annotated(key: str, value: str = "@") -> str:
    return f"apiVersion: v1\nkind: Service\nmetadata:\n  name: shop\n  annotations: {{{key}: {json.dumps(value)}}}\nspec: {{}}\n"


FORMS: Mapping[str, str] = {
    "env PASSWORD": env("DB_PASSWORD"),
    "env PW": env("LDAP_BIND_PW"),
    "env KEY": env("APP_ENCRYPTION_KEY"),
    "env glued": env("PGPASSWORD"),
    "env glued key": env("APIKEY"),
    "env PIN": env("HSM_PIN"),
    "env with number": env("ADMIN_PASSWORD_1"),
    "env salt": env("HASH_SALT"),
    "env private key": env("SSH_PRIVATE_KEY"),
    "env secret id": env("VAULT_SECRET_ID"),
    "camel case": custom("adminPassword: '@'"),
    "api token": custom("notifier:\n  apiToken: '@'"),
    "below credentials": custom("credentials:\n  first: '@'"),
    "list of tokens": custom("tokens: ['@']"),
    "default of a CRD": custom(
        "versions: [{schema: {default: {password: '@'}}}]",
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
    ),
    "parameters": custom(
        "arguments: {parameters: [{name: db-password, value: '@'}]}", "Workflow", "argoproj.io/v1alpha1"
    ),
    "name and default": custom("vars: [{name: DB_PASSWORD, default: '@'}]"),
    "key and value": custom("settings: [{key: smtp.password, value: '@'}]"),
    "capitals": custom("vars: [{Name: API_KEY, Value: '@'}]"),
    "helm parameter": custom(
        "source: {helm: {parameters: [{name: db.password, value: '@'}]}}",
        "Application",
        "argoproj.io/v1alpha1",
    ),
    "helm values text": custom(
        "source:\n  helm:\n    values: |\n      db:\n        password: '@'",
        "Application",
        "argoproj.io/v1alpha1",
    ),
    "flag with equals": args("--db-password=@"),
    "flag and value": args("--password", "@"),
    "java property": args("-Dspring.datasource.password=@"),
    "set of helm": args("upgrade", "--set", "db.password=@"),
    "mysql": args("mysql", "-uroot", "-p@"),
    "curl": args("curl", "-u", "admin:@"),
    "redis": args("redis-cli", "-a", "@"),
    "shell line": args("sh", "-c", "export TOKEN=@; exec shop"),
    "header": args("curl", "-H", "Authorization: Bearer @"),
    "from literal": args("create", "secret", "generic", "x", "--from-literal=password=@"),
    "URL": env("DATABASE", "postgres://shop:@@db:5432/shop"),
    "URL of a broker": env("BROKER", "amqp://guest:@@rabbit:5672/"),
    "Go DSN": env("DATABASE", "shop:@@tcp(db:3306)/shop"),
    "JDBC": env("DATABASE", "jdbc:postgresql://db/shop?user=shop&password=@"),
    "ODBC": env("DATABASE", "Server=db;Uid=shop;Pwd=@;Encrypt=yes"),
    "libpq": env("DATABASE", "host=db user=shop password=@ dbname=shop"),
    "Azure account": env("STORE", "DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=@"),
    "SAS": env("STORE", "https://shop.blob.core.windows.net/c?sv=2022-11-02&se=2030-01-01&sig=@"),
    "properties": config("app.properties", "host=db\nspring.datasource.password=@\nport=5432"),
    "dotenv": config("env", "# settings\nexport DEBUG=1\nexport SESSION_SECRET='@'"),
    "ini": config("app.ini", "[mail]\nhost = smtp\npassword = @"),
    "TOML": config("app.toml", "[db]\nuser = 'shop'\npw = '@'"),
    "HCL": config("app.hcl", 'db {\n  password = "@"\n}'),
    "XML element": config("app.xml", "<db>\n  <user>shop</user>\n  <password>@</password>\n</db>"),
    "XML attribute": config("app.xml", '<db user="shop"\n  pass="@"/>'),
    "XML pair": config("app.xml", '<configuration>\n  <add key="DbPassword" value="@"/>\n</configuration>'),
    "YAML": config("app.yaml", "db:\n  host: db\n  password: '@'"),
    "YAML documents": config("app.yaml", "a: 1\n---\nsmtp: {password: '@'}"),
    "JSON": config("app.json", '{"db": {"host": "db", "password": "@"}}'),
    "JSON lines": config("app.jsonl", '{"a": 1}\n{"password": "@"}'),
    "Secret in text": config(
        "manifest.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  anything: '@'"
    ),
    "list of manifests": config(
        "all.yaml",
        "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: Secret\n    stringData: {x: '@'}",
    ),
    "netrc": config("netrc", "machine git.example.com login bot password @\nmachine other"),
    "redis.conf": config("redis.conf", "maxmemory 100mb\nrequirepass @\nappendonly yes"),
    "pgpass": config("pgpass", "db:5432:shop:shop:@"),
    "haproxy": config("haproxy.cfg", "userlist u\n  user admin insecure-password @"),
    "nginx": config("nginx.conf", 'location / {\n  proxy_set_header Authorization "Bearer @";\n}'),
    "SQL": config("init.sql", "CREATE USER shop WITH PASSWORD '@';\nGRANT ALL ON db TO shop;"),
    "script": config("run.sh", "#!/bin/sh\nmysqldump -uroot -p'@' shop > /backup\n"),
    "private key": config(
        "id_rsa", "-----BEGIN OPENSSH PRIVATE KEY-----\n@\n-----END OPENSSH PRIVATE KEY-----"
    ),
    "annotation": annotated("example.com/api-token"),
    "applied before": annotated(
        "kubectl.kubernetes.io/last-applied-configuration",
        '{"apiVersion":"v1","kind":"Secret","stringData":{"x":"@"}}',
    ),
    "template of an operator": custom(
        "target:\n  template:\n    data:\n      config: 'url=@'", "ExternalSecret", "external-secrets.io/v1"
    ),
    "Secret of another group": custom("anything: '@'", "VaultStaticSecret", "secrets.hashicorp.com/v1beta1"),
    "rabbit user": args("rabbitmqctl", "add_user", "shop", "@"),
    "mongo uri": env("MONGO", "mongodb+srv://shop:@@cluster0.mongodb.net/shop?retryWrites=true"),
    "smtp url": env("MAIL", "smtp://bot:@@mail:587"),
    "proxy": env("HTTP_PROXY", "http://u:@@proxy:3128"),
    "git url": env("REPO", "https://oauth2:@@gitlab.com/a/b.git"),
    "git token user": env("REPO", "https://@@github.com/a/b.git"),
    "grafana ini": config(
        "grafana.ini", "[security]\nadmin_user = admin\nadmin_password = @\nsecret_key = x"
    ),
    "ldap": config("ldap.toml", "[[servers]]\nbind_dn = \"cn=admin\"\nbind_password = '@'"),
    "alertmanager": config("alertmanager.yml", "global:\n  smtp_auth_username: x\n  smtp_auth_password: @\n"),
    "prometheus basic": config(
        "prometheus.yml", "scrape_configs:\n- basic_auth:\n    username: u\n    password: @\n"
    ),
    "fluent": config(
        "fluent.conf",
        "<match **>\n  @type elasticsearch\n  user elastic\n  password @\n</match>".replace("@type", "type"),
    ),
    "logstash": config("l.conf", 'output { elasticsearch { user => "elastic" password => "@" } }'),
    "docker auth": config("config.json", '{"auths":{"ghcr.io":{"auth":"@"}}}'),
    "docker login": args("sh", "-c", "docker login -u bot -p @ ghcr.io"),
    "npmrc": config(".npmrc", "//npm.pkg.github.com/:_authToken=@"),
    "pip": config("pip.conf", "[global]\nindex-url = https://u:@@pypi.example.com/simple"),
    "maven": config(
        "settings.xml",
        "<servers><server><id>x</id><username>u</username><password>@</password></server></servers>",
    ),
    "spring yml": config("application.yml", 'spring:\n  datasource:\n    username: x\n    password: "@"'),
    "rails": config("database.yml", 'production:\n  password: <%= ENV["X"] || "@" %>'),
    "php": config("config.php", "<?php\ndefine('DB_PASSWORD', '@');\n"),
    "php array": config("config.php", "<?php return ['password' => '@'];\n"),
    "python": config("settings.py", "SECRET_KEY = '@'\nDEBUG=False"),
    "python dict": config("settings.py", "DATABASES = {'default': {'USER': 'x', 'PASSWORD': '@'}}\n"),
    "js": config("config.js", "module.exports = { apiKey: '@', host: 'x' }"),
    "go": config("main.go", 'const apiToken = "@"\n'),
    "wp": config("wp-config.php", "define( 'AUTH_KEY', '@' );\n"),
    "nats": config("nats.conf", "authorization { user: a, password: @ }"),
    "kafka jaas": config(
        "kafka.properties",
        'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="@";',
    ),
    "ssl pass": config("kafka.properties", "ssl.keystore.password=@\nssl.key.password=@"),
    "keytool": args("keytool", "-storepass", "@", "-alias", "x"),
    "openssl": args("sh", "-c", "openssl pkcs12 -passin pass:@ -in x"),
    "psql env": args("sh", "-c", "PGPASSWORD=@ psql -h db"),
    "sshpass": args("sh", "-c", "sshpass -p @ ssh u@h".replace("u@h", "host")),
    "wget": args("wget", "--http-password=@", "http://x"),
    "curl hdr": args("curl", "-H", "X-Api-Key: @", "http://x"),
    "curl data": args("curl", "-d", '{"password":"@"}', "http://x"),
    "curl query": args("curl", "http://x/?api_key=@"),
    "helm set": args("helm", "--set-string", "auth.rootPassword=@"),
    "vault": args("sh", "-c", "vault login token=@"),
    "vault kv": args("sh", "-c", "vault kv put secret/x password=@"),
    "aws": config(
        "credentials", "[default]\naws_access_key_id = AKIAXXXXXXXXXXXXXXXX\naws_secret_access_key = @"
    ),
    "boto": env("AWS_SECRET_ACCESS_KEY"),
    "gcs json": config(
        "sa.json",
        '{"type":"service_account","private_key_id":"x","private_key":"-----BEGIN PRIVATE KEY-----\\n@\\n-----END PRIVATE KEY-----\\n"}',
    ),
    "kubeconfig": config("kubeconfig", "users:\n- name: x\n  user:\n    token: @"),
    "wireguard": config("wg0.conf", "[Interface]\nPrivateKey = @\nAddress = 10.0.0.1"),
    "wpa": config("wpa.conf", 'network={\n ssid="x"\n psk="@"\n}'),
    "snmp": config("snmp.conf", 'rocommunity public\ncreateUser u SHA "@" AES'),
    "postgres sql": args("psql", "-c", "ALTER USER shop PASSWORD '@'"),
    "mysql sql": args("mysql", "-e", "CREATE USER 'x'@'%' IDENTIFIED BY '@'".replace("'x'@'%'", "x")),
    "pgbouncer": config("userlist.txt", '"shop" "@"'),
    "htpasswd cmd": args("htpasswd", "-bn", "admin", "@"),
    "cookie": env("SESSION_COOKIE_SECRET"),
    "django": env("DJANGO_SECRET_KEY"),
    "jwt key": env("JWT_SIGNING_KEY"),
    "webhook": env("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/T000/B000/@"),
    "teams": env("URL", "https://acme.webhook.office.com/webhookb2/@"),
    "sentry": env("SENTRY_DSN", "https://@@o1.ingest.sentry.io/1"),
    "twilio": env("TWILIO_AUTH_TOKEN"),
    "stripe": env("STRIPE_KEY"),
    "recaptcha": env("RECAPTCHA_SECRET"),
    "smtp pass": env("SMTP_PASS"),
    "bindpw": env("BINDPW"),
    "dot": config("db.password"),
    "mixed": config("dbPass"),
    "nested list": config("x.yaml", 'users:\n- {name: a, password: "@"}\n- {name: b}'),
    "yaml in json": config("x.json", '{"values": "db:\\n  password: @\\n"}'),
    "yaml in yaml": config("x.yaml", "values: |\n  db:\n    password: @\n"),
    "comment": config("x.yaml", "# password: @\nhost: db"),
    "conn in yaml": config("x.yaml", "db:\n  url: postgres://u:@@db/x"),
    "application plugin env": custom(
        'source: {plugin: {env: [{name: TOKEN, value: "@"}]}}', "Application", "argoproj.io/v1alpha1"
    ),
    "crossplane": custom('forProvider: {password: "@"}'),
    "tekton": custom('params: [{name: github-token, value: "@"}]', "TaskRun", "tekton.dev/v1"),
    "argo wf default": custom(
        'arguments: {parameters: [{name: apiKey, default: "@"}]}', "Workflow", "argoproj.io/v1alpha1"
    ),
    "secretproviderclass": custom(
        'parameters: {clientSecret: "@"}', "SecretProviderClass", "secrets-store.csi.x-k8s.io/v1"
    ),
    "grafana ds": config("ds.yaml", 'datasources:\n- name: x\n  secureJsonData:\n    httpHeaderValue1: "@"'),
    "secureJson": config("ds.yaml", 'datasources:\n- name: x\n  secureJsonData:\n    password: "@"'),
    "probe exec": 'apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec: {containers: [{name: a, image: x, livenessProbe: {exec: {command: [redis-cli, -a, "@", ping]}}}]}\n',
    "lifecycle": 'apiVersion: v1\nkind: Pod\nmetadata: {name: shop}\nspec: {containers: [{name: a, image: x, lifecycle: {postStart: {exec: {command: [sh, -c, "curl -u admin:@ x"]}}}}]}\n',
    "label": 'apiVersion: v1\nkind: Pod\nmetadata: {name: shop, labels: {token: "@"}}\nspec: {}\n',
    "ingress snippet": annotated(
        "nginx.ingress.kubernetes.io/configuration-snippet", "proxy_set_header X-Api-Token @;"
    ),
    "basic auth b64": annotated("x/y", "Authorization: Basic YWRtaW46aHVudGVyMmh1bnRlcjI="),
    "tls key": config("tls.key", "-----BEGIN EC PRIVATE KEY-----\n@\n-----END EC PRIVATE KEY-----"),
    "pgp": config("k.asc", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n@\n-----END PGP PRIVATE KEY BLOCK-----"),
    "jwk": config("jwk.json", '{"kty":"oct","k":"@"}'),
    "otp": env("TOTP_SEED"),
    "oauth query": env("URL", "https://x/cb?client_secret=@&x=1"),
    "azure fn": env("URL", "https://x.azurewebsites.net/api/f?code=@"),
    "amqp ssl": env("CELERY_BROKER_URL", "redis://:@@redis:6379/0"),
    "license": env("LICENSE_KEY"),
    "appsettings": config(
        "appsettings.json", '{"ConnectionStrings":{"Default":"Server=db;User Id=sa;Password=@;"}}'
    ),
    "vault hcl": config("v.hcl", 'seal "transit" {\n token = "@"\n}'),
    "consul": config("c.json", '{"acl":{"tokens":{"agent":"@"}},"encrypt":"@"}'),
    "envoy lua": config("e.yaml", 'inline_code: |\n  local token = "@"\n'),
    "my.cnf": config("my.cnf", "[client]\nuser=root\npassword=@"),
    "mysql colon": config("x", "mysql -h db -u root --password=@ shop"),
    "supervisor": config("s.conf", "[unix_http_server]\nusername = u\npassword = @"),
    "rsync": config("rsyncd.secrets", "user:@"),
    "unicode": env("DB_\uff30\uff21\uff33\uff33\uff37\uff2f\uff32\uff24"),
    "snake pwd": env("MY_PWD_VALUE"),
    "passwd plain": config("initial-passwd"),
    "root pw": env("MYSQL_ROOT_PW"),
    "user colon pass": env("BASIC_AUTH", "admin:@"),
    "creds": env("AMQP_CREDS", "guest:@"),
    "secret value": config("x.json", '{"SecretString":"@"}'),
    "aes": env("AES_KEY"),
    "enc": env("ENCRYPTION_SECRET"),
    "hmac": env("HMAC_KEY"),
    "sql function": config("init.sql", "SET PASSWORD FOR 'x' = PASSWORD('@');"),
    "redis-cli": config("run.sh", "redis-cli -h redis -a @ ping"),
    "ldapsearch": config("run.sh", "ldapsearch -x -D cn=shop -w @ -b dc=shop"),
    "openssl -k": config("run.sh", "openssl enc -d -aes-256-cbc -k @ -in a"),
    "openssl -pass": config("run.sh", "openssl rsa -in a.pem -passin @"),
    "ruby hash": config("gitlab.rb", "gitlab_rails['initial_root_password'] = '@'"),
    "snmp community": config("snmpd.conf", "rocommunity @"),
    "snmp com2sec": config("snmpd.conf", "com2sec readonly default @"),
    "users with passwords": custom("basicAuth: {users: ['shop:@']}", "Middleware"),
    "glued user key": "apiVersion: storage.k8s.io/v1\nkind: StorageClass\nmetadata: {name: a}\nparameters: {restuserkey: '@'}\n",
    "telegram": env("NOTIFY", "https://api.telegram.org/bot123456:@/send"),
    "with-token": config("run.sh", "echo @ | gh auth login --with-token"),
    "printf stdin": config("run.sh", "printf '%s' @ | tool login --password-stdin"),
    "mc alias": config("run.sh", "mc alias set shop http://minio:9000 admin @"),
    "couchdb": config("local.ini", "[admins]\nshop = @"),
    "spanish": env("DB_CLAVE"),
    "dutch": env("DB_WACHTWOORD"),
    "french": env("DB_MDP"),
    "pair in a list": config("pairs.json", '[["user", "shop"], ["password", "@"]]'),
}
# Under neutral names a key is recognised by its value.
SILENT: Mapping[str, str] = {
    "env": env("SETTING"),
    "argument": args("--colour", "@"),
    "custom field": custom("colour: '@'"),
    "text": config("notes", "first line\nand then @ follows"),
    "annotation": annotated("example.com/note"),
}


def filled(form: str, secret: str) -> str:
    """A form with its secret; `@@` is the secret before the `@` of an address."""
    return form.replace("@@", "\0\1").replace("@", "\0").replace("\0", secret).replace("\1", "@")


def fits(form: str, secret: str) -> bool:
    """Whether a form can hold a secret as it is: an address or XML ends at some characters."""
    return not ("&" in secret or "!" in secret or "#" in secret) or not any(
        mark in form for mark in ("://", "<", "@tcp")
    )
