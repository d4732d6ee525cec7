"""Secrets in the places where people keep them, and ordinary values that must stay readable.

Each secret is generated from the name of its form, so no rule can be written for one value.
`LEAKS` contains (form, document, secrets): a difference shows none of the secrets.
`ORDINARY` contains (document, values): a difference shows at least 95 % of the values.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

Document = dict[str, Any]


def word(name: str, length: int = 20) -> str:
    """A secret as a password manager makes it: letters and digits, different for every name."""
    raw = base64.b64encode(hashlib.sha512(name.encode()).digest()).decode()
    return "".join(c for c in raw if c.isalnum())[:length]


def human(name: str) -> str:
    """A password as a person makes it: two words, a number, a sign."""
    words = (
        "Sommer",
        "Panther",
        "Kirsche",
        "Bagger",
        "Loewe",
        "Giraffe",
        "Tulpe",
        "Regen",
        "Donner",
        "Kaffee",
        "Segel",
        "Birne",
    )
    n = int(hashlib.sha256(name.encode()).hexdigest(), 16)
    return f"{words[n % 12]}{words[n // 12 % 12].lower()}{n % 97}!"


def hexed(name: str, length: int = 32) -> str:
    return hashlib.sha512(name.encode()).hexdigest()[:length]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config_map(file: str, text: str) -> Document:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {file: text}}


def pod(container: Document, **more: Any) -> Document:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x"},
        "spec": {
            "template": {
                "metadata": more.get("metadata", {}),
                "spec": {"containers": [{"name": "a", **container}]},
            }
        },
    }


def env(name: str, value: str) -> Document:
    return pod({"env": [{"name": name, "value": value}]})


def annotated(kind: str, **annotations: str) -> Document:
    keys = {k.replace("__", "/").replace("_", "-"): v for k, v in annotations.items()}
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "annotations": keys}}


def custom(kind: str, spec: Any, group: str = "example.com/v1") -> Document:
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "x"}, "spec": spec}


LEAKS: list[tuple[str, Document, list[str]]] = []
# fmt: off


def plant(form: str, document: Document, *secrets: str) -> None:
    LEAKS.append((form, document, list(secrets)))


def pem(kind: str, name: str, lines: int = 4) -> tuple[str, list[str]]:
    body = [word(f"{name}{n}", 60) for n in range(lines)]
    return "\n".join([f"-----BEGIN {kind}-----", *body, f"-----END {kind}-----", ""]), body


# --- configuration files in a ConfigMap -------------------------------------------------------
for key in ("spring.datasource.password", "mail.smtp.pass", "app.jwt.secret", "ssl.keystore.password", "keycloak.credentials.secret"):
    plant("properties", config_map("application.properties", f"server.port=8080\n{key}={human(key)}\nlogging.level=INFO\n"), human(key))
for key in ("password", "passwd", "secretKey", "api_key", "clientSecret", "privateKey"):
    plant("yaml in text", config_map("config.yaml", f"server:\n  port: 80\ndatabase:\n  host: db\n  {key}: {human('y' + key)}\n"), human("y" + key))
    plant("json in text", config_map("config.json", json.dumps({"db": {"host": "db", key: word("j" + key)}})), word("j" + key))
for key in ("password", "auth_token", "secret_access_key", "encryption-key"):
    plant("toml", config_map("config.toml", f'[database]\nhost = "db"\n{key} = "{word("t" + key)}"\n'), word("t" + key))
    plant("ini", config_map("app.ini", f"[smtp]\nhost = mail\n; a comment\n{key} = {human('i' + key)}\n"), human("i" + key))
plant("yaml block", config_map("c.yaml", f"db:\n  password: |\n    {human('blk')}\n  port: 1\n"), human("blk"))
plant("yaml folded", config_map("c.yaml", f"db:\n  password: >-\n    {human('fold')}\n  port: 1\n"), human("fold"))
plant("yaml list of keys", config_map("c.yaml", f"apiKeys:\n  - {word('lk1')}\n  - {word('lk2')}\nport: 1\n"), word("lk1"), word("lk2"))
plant("yaml flow", config_map("c.yaml", f"db: {{host: db, password: {word('flow')}, port: 1}}\n"), word("flow"))
plant("quoted yaml", config_map("c.yaml", f"db:\n  'password' : \"{human('quo')}\"\n"), human("quo"))
plant("broken yaml", config_map("c.yaml.tpl", f"db:\n  host: {{{{ .Values.x }}}}\n  password: {human('tpl')}\n{{{{- if .y }}}}\n"), human("tpl"))
plant("json in yaml in json", config_map("c.json", json.dumps({"inner": "auth:\n  token: " + word("jyj") + "\n"})), word("jyj"))
plant("json with comments", config_map("c.jsonc", f'{{\n  // login\n  "password": "{word("jsc")}", // of the service\n}}\n'), word("jsc"))
plant("dotenv", config_map(".env", f"PORT=80\nSTRIPE_SECRET_KEY={word('stripe', 24)}\nexport APP_KEY=base64:{b64(word('app'))}\n"), word("stripe", 24), b64(word("app")))
plant("dotenv", config_map(".env", f"LOGIN='{human('q1')}'\nDB_PASS=\"{human('q2')}\"\n"), human("q2"))
plant("commented out", config_map("c.yaml", f"db:\n  # password: {human('com')}\n  host: db\n"), human("com"))
plant("redis.conf", config_map("redis.conf", f"port 6379\nrequirepass {word('req')}\nmasterauth {word('mas')}\n"), word("req"), word("mas"))
plant("redis acl", config_map("users.acl", f"user shop on >{word('acl')} ~* +@all\n"), word("acl"))
plant("userlist.txt", config_map("userlist.txt", f'"shop" "md5{hexed("ul")}"\n"other" "{word("ul2")}"\n'), hexed("ul"), word("ul2"))
plant(".pgpass", config_map(".pgpass", f"db.example.com:5432:shop:shop:{word('pg')}\n"), word("pg"))
plant(".netrc", config_map(".netrc", f"machine example.com login ci password {word('net')}\n"), word("net"))
plant(".netrc", config_map(".netrc", f"machine example.com\n  login ci\n  password {human('net2')}\n"), human("net2"))
plant(".npmrc", config_map(".npmrc", f"//npm.example.com/:_authToken={word('npm', 36)}\nalways-auth=true\n"), word("npm", 36))
plant(".npmrc", config_map(".npmrc", f"//npm.example.com/:_password={b64(human('npm2'))}\n"), b64(human("npm2")))
plant("pip.conf", config_map("pip.conf", f"[global]\nindex-url = https://ci:{word('pip')}@index.example.com/simple\n"), word("pip"))
plant("git credentials", config_map(".git-credentials", f"https://ci:{word('gc')}@git.example.com\n"), word("gc"))
for hashed in ("$apr1$" + word("h1", 8) + "$" + word("h2", 22), "{SHA}" + b64(word("h3")), "$2y$10$" + word("h4", 53)):
    plant("htpasswd", config_map("auth", f"admin:{hashed}\n"), hashed)
plant("maven settings", config_map("settings.xml", f"<settings><servers><server><id>a</id><username>ci</username><password>{human('mvn')}</password></server></servers></settings>"), human("mvn"))
plant("xml property", config_map("beans.xml", f'<bean><property name="password" value="{human("xp")}"/></bean>'), human("xp"))
plant("xml attribute", config_map("tomcat-users.xml", f'<user username="a" password="{human("xa")}" roles="manager"/>'), human("xa"))
plant("web.config", config_map("web.config", f'<add name="Main" connectionString="Server=db;User Id=sa;Password={human("wc")};Encrypt=true" />'), human("wc"))
plant("hcl", config_map("main.tf", f'provider "aws" {{\n  region     = "eu"\n  secret_key = "{word("hcl", 40)}"\n}}\n'), word("hcl", 40))
plant("nginx", config_map("nginx.conf", f'location / {{\n  proxy_set_header Authorization "Bearer {word("ng", 40)}";\n}}\n'), word("ng", 40))
plant("nginx", config_map("nginx.conf", f'location / {{ proxy_set_header X-Api-Key "{word("ng2", 30)}"; }}\n'), word("ng2", 30))
plant("php", config_map("config.php", f"<?php\ndefine('DB_PASSWORD', '{human('php')}');\n$cfg['blowfish_secret'] = '{word('php2', 32)}';\n$db['pass'] = '{human('php3')}';\n"), human("php"), word("php2", 32), human("php3"))
plant("python", config_map("settings.py", f'SECRET_KEY = "{word("py", 50)}"\nDATABASES = {{"default": {{"PASSWORD": "{human("py2")}"}}}}\n'), word("py", 50), human("py2"))
plant("javascript", config_map("config.js", f"module.exports = {{ host: 'x', password: '{human('js')}', apiToken: `{word('js2')}` }};\n"), human("js"), word("js2"))
plant("ruby", config_map("secrets.rb", f"config.secret_key_base = '{hexed('rb', 64)}'\nDB = {{ :password => '{human('rb2')}' }}\n"), hexed("rb", 64), human("rb2"))
plant("lua", config_map("init.lua", f'local redis_password = "{word("lua")}"\nred:auth("{word("lua2")}")\n'), word("lua"))
plant("go flags file", config_map("args", f"-listen=:80\n-auth-token={word('gf')}\n"), word("gf"))
plant("sql", config_map("init.sql", f"CREATE USER shop WITH PASSWORD '{human('sql')}';\nCREATE USER 'b'@'%' IDENTIFIED BY '{human('sql2')}';\nALTER ROLE c WITH LOGIN ENCRYPTED PASSWORD '{human('sql3')}';\n"), human("sql"), human("sql2"), human("sql3"))
plant("sql", config_map("init.sql", f"SET PASSWORD FOR 'root'@'localhost' = PASSWORD('{human('sql4')}');\nGRANT ALL ON *.* TO 'x'@'%' IDENTIFIED WITH mysql_native_password BY '{human('sql5')}';\n"), human("sql4"), human("sql5"))
plant("ldif", config_map("init.ldif", f"dn: cn=admin\nuserPassword: {{SSHA}}{word('ld', 40)}\nuserPassword:: {b64(human('ld2'))}\n"), word("ld", 40), b64(human("ld2")))
plant("ldap", config_map("ldap.conf", f"host ldap\nbindpw {human('bind')}\n"), human("bind"))
plant("ldap", config_map("ldap.yaml", f"ldap:\n  bindDN: cn=x\n  bindPW: {human('bind2')}\n"), human("bind2"))
plant("wireguard", config_map("wg0.conf", f"[Interface]\nPrivateKey = {b64(word('wg', 32))}\n[Peer]\nPresharedKey = {b64(word('wg2', 32))}\n"), b64(word("wg", 32)), b64(word("wg2", 32)))
plant("ipsec", config_map("ipsec.secrets", f'1.2.3.4 %any : PSK "{human("psk")}"\n'), human("psk"))
plant("snmp", config_map("snmp.yaml", f"auths:\n  v2:\n    community: {human('snmp')}\n    version: 2\n"), human("snmp"))
plant("jaas", config_map("client.properties", f'sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="{human("jaas")}";\n'), human("jaas"))
plant("aws credentials", config_map("credentials", f"[default]\naws_access_key_id = AKIA{word('ak', 16).upper()}\naws_secret_access_key = {word('as', 40)}\naws_session_token = {word('at', 60)}\n"), word("as", 40), word("at", 60))
plant("kubeconfig", config_map("kubeconfig", f"users:\n- name: a\n  user:\n    token: {word('kt', 40)}\n    client-key-data: {b64(word('kk', 60))}\n"), word("kt", 40), b64(word("kk", 60)))
plant("docker config", config_map("config.json", json.dumps({"auths": {"ghcr.io": {"auth": b64("u:" + word("dc"))}}})), b64("u:" + word("dc")))
plant("grafana", config_map("ds.yaml", f"datasources:\n- name: x\n  basicAuthPassword: {human('gr')}\n  secureJsonData:\n    password: {human('gr2')}\n    httpHeaderValue1: {word('gr3')}\n"), human("gr"), human("gr2"), word("gr3"))
plant("grafana.ini", config_map("grafana.ini", f"[security]\nadmin_password = {human('gi')}\n[auth.google]\nclient_secret = {word('gi2')}\n"), human("gi"), word("gi2"))
plant("alertmanager", config_map("alertmanager.yml", f"global:\n  smtp_auth_password: {human('am')}\nreceivers:\n- name: p\n  pagerduty_configs:\n  - routing_key: {hexed('am2')}\n  - service_key: {hexed('am3')}\n"), human("am"), hexed("am2"), hexed("am3"))
plant("alertmanager", config_map("alertmanager.yml", f"global:\n  slack_api_url: https://hooks.slack.com/services/T0AAAAAAA/B0AAAAAAA/{word('sl', 24)}\n"), word("sl", 24))
plant("prometheus", config_map("prometheus.yml", f"remote_write:\n- url: https://x\n  basic_auth:\n    username: a\n    password: {human('pr')}\n  authorization:\n    type: Bearer\n    credentials: {word('pr2', 30)}\n"), human("pr"), word("pr2", 30))
plant("prometheus", config_map("prometheus.yml", f"scrape_configs:\n- job_name: a\n  bearer_token: {word('pb', 30)}\n"), word("pb", 30))
plant("oauth2-proxy", config_map("oauth2-proxy.cfg", f'client_secret = "{word("op")}"\ncookie_secret = "{word("op2", 32)}"\n'), word("op"), word("op2", 32))
plant("keycloak", config_map("realm.json", json.dumps({"clients": [{"clientId": "a", "secret": word("kc")}], "users": [{"username": "a", "credentials": [{"type": "password", "value": human("kc2")}]}]})), word("kc"), human("kc2"))
plant("gcp key", config_map("key.json", json.dumps({"type": "service_account", "private_key_id": hexed("gk", 40), "private_key": pem("PRIVATE KEY", "gk")[0]})), *pem("PRIVATE KEY", "gk")[1])
for kind in ("RSA PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK"):
    text, lines = pem(kind, kind)
    plant("pem", config_map("tls.pem", "# the key\n" + text), *lines)
    plant("pem in env", env("SIGNING", text.replace("\n", "\\n")), *lines)
plant("pem without end", config_map("cut.pem", pem("RSA PRIVATE KEY", "cut")[0].rsplit("-----END")[0]), *pem("RSA PRIVATE KEY", "cut")[1])
plant("base64 of a pem", env("TLS_BUNDLE", b64(pem("PRIVATE KEY", "b64pem")[0])), b64(pem("PRIVATE KEY", "b64pem")[0])[60:120])
plant("base64 of a config", annotated("Service", example_com__config=b64(json.dumps({"password": human("b64c")}))), b64(json.dumps({"password": human("b64c")})))

# --- environment, arguments, scripts ----------------------------------------------------------
for name in ("DB_PASSWORD", "POSTGRES_PASS", "DB_PW", "API_KEY", "GITHUB_TOKEN", "SESSION_SECRET", "SIGNING_KEY", "CARD_PIN", "SMTP_PWD", "ENCRYPTION_SALT", "GPG_PASSPHRASE", "VAULT_UNSEAL_KEY", "SLACK_WEBHOOK_URL", "AUTH_HEADER", "DD_API_KEY", "NEW_RELIC_LICENSE_KEY", "dbPassword", "apikey", "SENTRY_AUTH", "LDAP_BIND_CREDENTIALS"):
    plant("env", env(name, human("e" + name)), human("e" + name))
for scheme, text in {
    "postgres": "postgres://shop:{}@db:5432/shop",
    "amqps": "amqps://shop:{}@mq/vhost",
    "mongo": "mongodb+srv://shop:{}@c0.example.net/?retryWrites=true",
    "redis": "redis://:{}@redis:6379/0",
    "https": "https://ci:{}@git.example.com/a.git",
    "token only": "https://{}@git.example.com/a.git",
    "sentry": "https://{}@o1.ingest.example.com/2",
    "smtp": "smtp://mailer%40example.com:{}@smtp.example.com:587",
    "ftp": "ftp://u:{}@files.example.com",
    "clickhouse": "clickhouse://h:9000?username=a&password={}",
    "jdbc": "jdbc:postgresql://db/shop?user=a&password={}&ssl=true",
    "jdbc mssql": "jdbc:sqlserver://db;databaseName=a;user=sa;password={};encrypt=true",
    "jdbc oracle": "jdbc:oracle:thin:scott/{}@//db:1521/x",
    "go mysql": "shop:{}@tcp(db:3306)/shop?parseTime=true",
    "libpq": "host=db port=5432 user=shop password={} dbname=shop",
    "ado": "Server=db;Database=a;User Id=sa;Password={};TrustServerCertificate=True",
    "ado pwd": "Server=db;Uid=sa;Pwd={};",
    "storage": "DefaultEndpointsProtocol=https;AccountName=a;AccountKey={}==;EndpointSuffix=core.windows.net",
    "service bus": "Endpoint=sb://a.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={}=",
    "app insights": "InstrumentationKey={};IngestionEndpoint=https://x",
    "sas": "https://a.blob.core.windows.net/c?sv=2022-11-02&ss=b&sig={}%3D",
    "presigned": "https://b.s3.amazonaws.com/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature={}",
    "gcs": "https://storage.googleapis.com/b/o?X-Goog-Signature={}",
    "cloudfront": "https://d.cloudfront.net/x?Expires=1&Signature={}&Key-Pair-Id=K1",
    "query key": "https://maps.example.com/api?key={}&region=eu",
    "query token": "https://hooks.example.com/run?access_token={}",
    "teams": "https://a.webhook.office.com/webhookb2/11111111-2222-3333-4444-555555555555@x/IncomingWebhook/{}/y",
    "discord": "https://discord.com/api/webhooks/123456789012345678/{}",
    "telegram": "https://api.telegram.org/bot123456789:{}/sendMessage",
    "totp": "otpauth://totp/a:b?secret={}&issuer=a",
}.items():
    secret = word("u" + scheme, 40)
    plant("connection string", env("ENDPOINT", text.format(secret)), secret)
for scheme, text in {
    "jwt": "eyJhbGciOiJIUzI1NiJ9.{}.{}",
    "github": "ghp_{}", "pat": "github_pat_{}", "gitlab": "glpat-{}", "slack": "xoxb-1234567890-{}",
    "stripe": "sk_live_{}", "sendgrid": "SG.{}.{}", "npm": "npm_{}", "pypi": "pypi-AgEI{}", "openai": "sk-proj-{}",
    "google": "AIza{}", "bearer": "Bearer {}", "basic": "Basic {}", "vault": "hvs.{}", "digitalocean": "dop_v1_{}",
    "age": "AGE-SECRET-KEY-1{}", "shopify": "shpat_{}", "huggingface": "hf_{}", "databricks": "dapi{}", "grafana": "glsa_{}",
    "linear": "lin_api_{}", "doppler": "dp.pt.{}", "atlassian": "ATATT3x{}", "square": "sq0csp-{}", "mailgun": "key-{}",
}.items():
    secret = hexed("k" + scheme) if scheme in ("databricks", "shopify", "digitalocean", "mailgun") else word("k" + scheme, 36)
    plant("known token", env("SETTING", text.format(secret, secret)), secret)
for flag in ("--password={}", "--api-token={}", "--db-pass={}", "--requirepass={}", "-Djavax.net.ssl.keyStorePassword={}", "--set=db.password={}", "--header=Authorization: Bearer {}", "--secret-key={}", "--basic-auth=admin:{}"):
    plant("argument", pod({"args": ["serve", flag.format(word(flag)), "--port=80"]}), word(flag))
for flag in ("--password", "--token", "-p", "--requirepass", "--client-secret", "--api-key"):
    plant("argument after its flag", pod({"command": ["serve", flag, human(flag), "--port", "80"]}), human(flag))
for script in (
    "mysql -u root -p{} -h db -e 'select 1'",
    "curl -u admin:{} https://x/health",
    "curl -H 'Authorization: Bearer {}' https://x",
    'curl -H "X-Api-Key: {}" https://x',
    "curl --user admin:{} https://x",
    "PGPASSWORD={} psql -h db -U shop",
    "export TOKEN={} && ./run",
    "redis-cli -a {} ping",
    "sshpass -p {} ssh a@b",
    "mongo --username a --password {} db",
    "docker login -u ci -p {} ghcr.io",
    "helm upgrade x y --set auth.password={}",
    "kubectl create secret generic x --from-literal=password={}",
    "echo {} | docker login --password-stdin ghcr.io",
    "rabbitmqctl add_user shop {}",
    "wget --http-password={} https://x",
    "ldapsearch -D cn=a -w {} -b dc=x",
    "openssl enc -aes-256-cbc -pass pass:{} -in x",
    "vault login {}",
):
    plant("script", pod({"command": ["sh", "-c", "set -e\n" + script.format(word(script)) + "\n"]}), word(script))
plant("probe header", pod({"livenessProbe": {"httpGet": {"path": "/", "port": 80, "httpHeaders": [{"name": "Authorization", "value": "Basic " + b64("a:" + human("ph"))}, {"name": "X-Token", "value": word("ph2")}]}}}), b64("a:" + human("ph")), word("ph2"))
plant("probe command", pod({"readinessProbe": {"exec": {"command": ["redis-cli", "-a", word("pc"), "ping"]}}}), word("pc"))
plant("java options", env("JAVA_OPTS", f"-Xmx1g -Dspring.datasource.password={human('jo')} -Dx=y"), human("jo"))
plant("json in env", env("APP_CONFIG", json.dumps({"smtp": {"user": "a", "pass": human("je")}})), human("je"))
plant("yaml in env", env("APP_CONFIG", f"smtp:\n  user: a\n  password: {human('ye')}\n"), human("ye"))

# --- objects of operators, pairs, annotations ---------------------------------------------------
for name, value in (("name", "value"), ("key", "value"), ("Name", "Value"), ("parameter", "default"), ("header", "value"), ("field", "content"), ("name", "defaultValue"), ("id", "val")):
    plant("pair", custom("Settings", {"items": [{name: "dbPassword", value: human(name + value)}, {name: "port", value: "80"}]}), human(name + value))
plant("secret data", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"anything": b64(human("sd"))}}, b64(human("sd")), human("sd"))
plant("secret stringData", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"motd": human("ss")}}, human("ss"))
plant("secret in a list", {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "stringData": {"motd": human("sli")}}]}, human("sli"))
plant("secret as text", config_map("secret.yaml", f"apiVersion: v1\nkind: Secret\nmetadata: {{name: x}}\nstringData:\n  motd: {human('st')}\ndata:\n  other: {b64(human('st2'))}\n"), human("st"), b64(human("st2")))
plant("secret template", custom("ExternalSecret", {"target": {"template": {"data": {"motd": human("es"), "config": "password: " + human("es2")}}}}, "external-secrets.io/v1"), human("es"), human("es2"))
plant("sealed template", custom("SealedSecret", {"encryptedData": {}, "template": {"data": {"motd": human("sst")}}}, "bitnami.com/v1alpha1"), human("sst"))
plant("last applied", annotated("Secret", kubectl_kubernetes_io__last_applied_configuration=json.dumps({"kind": "Secret", "data": {"motd": b64(human("la"))}})), b64(human("la")))
plant("last applied", annotated("ConfigMap", **{"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"kind": "Secret", "stringData": {"motd": human("la2")}})}), human("la2"))
plant("snippet", annotated("Ingress", **{"nginx.ingress.kubernetes.io/configuration-snippet": f'proxy_set_header Authorization "Basic {b64("a:" + human("sn"))}";'}), b64("a:" + human("sn")))
plant("traefik", custom("Middleware", {"basicAuth": {"users": ["admin:$apr1$" + word("tr", 30)]}}, "traefik.io/v1alpha1"), word("tr", 30))
plant("helm values", custom("Application", {"source": {"helm": {"values": f"db:\n  password: {human('hv')}\n", "parameters": [{"name": "db.password", "value": human("hv2")}], "valuesObject": {"auth": {"rootPassword": human("hv3")}}}}}, "argoproj.io/v1alpha1"), human("hv"), human("hv2"), human("hv3"))
plant("helm release", custom("HelmRelease", {"values": {"redis": {"auth": {"password": human("hr")}}}}, "helm.toolkit.fluxcd.io/v2"), human("hr"))
plant("dex", custom("Dex", {"connectors": [{"type": "github", "config": {"clientID": "a", "clientSecret": word("dex")}}]}), word("dex"))
plant("crossplane", custom("User", {"forProvider": {"masterUserPassword": human("cp")}}), human("cp"))
plant("nested map of secrets", custom("Thing", {"secrets": {"first": human("ns1"), "second": {"inner": human("ns2")}}}), human("ns1"), human("ns2"))
plant("credentials block", custom("Thing", {"credentials": {"username": "a", "value": human("cb")}}), human("cb"))
plant("number", custom("Door", {"pin": 471199, "password": 88213377}), "471199", "88213377")
plant("plural", custom("Thing", {"passwords": [human("pl1"), human("pl2")], "tokens": {"ci": word("pl3")}}), human("pl1"), human("pl2"), word("pl3"))
plant("key with hyphens", custom("Thing", {"basic-auth-password": human("kh"), "x-api-key": word("kh2")}), human("kh"), word("kh2"))
plant("workflow", custom("Workflow", {"arguments": {"parameters": [{"name": "deploy-token", "value": word("wf")}]}}, "argoproj.io/v1alpha1"), word("wf"))
plant("webhook", custom("Alert", {"webhook": {"url": "https://hooks.example.com/x", "secret": human("wh"), "hmacKey": word("wh2")}}), human("wh"), word("wh2"))
plant("label", {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "annotations": {"example.com/api-token": word("lb")}}}, word("lb"))
plant("binaryData", {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "binaryData": {"id_rsa": b64(pem("OPENSSH PRIVATE KEY", "bd")[0])}}, b64(pem("OPENSSH PRIVATE KEY", "bd")[0])[60:120])
plant("cron job", {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "a", "args": [f"pg_dump postgres://u:{word('cj')}@db/x | gzip"]}]}}}}}}, word("cj"))

ORDINARY: list[tuple[Document, list[str]]] = []


def keep(document: Document, *values: str) -> None:
    ORDINARY.append((document, list(values)))


keep(
    pod(
        {
            "image": "ghcr.io/acme/shop:v1.4.0@sha256:" + hexed("image", 64),
            "imagePullPolicy": "IfNotPresent",
            "ports": [{"containerPort": 8080, "name": "http-metrics"}],
            "resources": {"limits": {"cpu": "1500m", "memory": "768Mi"}, "requests": {"cpu": "250m", "memory": "384Mi"}},
            "envFrom": [{"secretRef": {"name": "shop-credentials"}}],
        },
        metadata={"annotations": {"checksum/config": hexed("cfg", 64), "prometheus.io/port": "9102"}},
    ),
    "ghcr.io/acme/shop:v1.4.0@sha256:" + hexed("image", 64), "IfNotPresent", "8080", "http-metrics", "1500m", "768Mi", "250m", "384Mi", "shop-credentials", hexed("cfg", 64), "9102",
)
for name, value in {
    "LOG_LEVEL": "debug", "LOG_FORMAT": "%(asctime)s %(levelname)s %(message)s", "PORT": "8081", "PUBLIC_URL": "https://shop.example.com/start?lang=de&theme=dark",
    "TOKEN_TTL": "3600", "TOKEN_ISSUER": "https://login.example.com/realms/shop", "PASSWORD_MIN_LENGTH": "12", "KEYBOARD_LAYOUT": "qwertz", "MONKEY": "capuchin",
    "CACHE_KEY_PREFIX": "shop:v3:", "SECRET_NAME": "shop-database", "TOKEN_URL": "https://login.example.com/token", "KEY_COLUMN": "customer_id", "PASSWORD_FILE": "/run/secrets/db/password",
    "API_KEY_HEADER": "X-Request-Client", "JAVA_OPTS": "-Xms512m -Xmx1g -XX:+UseG1GC -Duser.timezone=Europe/Berlin", "FEATURES": "basket-v2,fast-checkout,no-cookies",
    "DB_HOST": "postgres-primary.data.svc.cluster.local", "DB_USER": "shop_reader", "KAFKA_BROKERS": "kafka-0.kafka:9092,kafka-1.kafka:9092", "S3_BUCKET": "acme-shop-pictures-eu-central-1",
    "ROLE_ARN": "arn:aws:iam::123456789012:role/shop-reader", "GIT_COMMIT": hexed("commit", 40), "BUILD_ID": "20261128.4", "SUPPORT_MAIL": "help@shop.example.com", "CORS": "https://a.example.com,https://b.example.com",
    "TENANT_ID": "7b1f3c52-2f0e-4c5e-9d57-0d6f4c1e8a11", "CLIENT_ID": "shop-frontend", "TZ": "Europe/Berlin", "GOMEMLIMIT": "900MiB", "OTEL_RESOURCE_ATTRIBUTES": "service.name=shop,service.version=1.4.0",
    "DATABASE_URL": "postgres://db.example.com:5432/shop?sslmode=verify-full", "REDIS_ADDR": "redis://redis-master:6379/3", "PASSENGER_COUNT": "240", "COMPASS": "north-north-west", "AUTHOR": "the shop team", "AUTH_ENABLED": "true", "SIGNATURE_ALGORITHM": "ES256",
}.items():
    keep(env(name, value), value)
for file, text, values in [
    ("nginx.conf", "worker_processes 4;\nlocation /api { proxy_pass http://shop-api:8080; proxy_read_timeout 75s; proxy_set_header Host $host; }\n", ["worker_processes 4", "http://shop-api:8080", "75s", "proxy_set_header Host"]),
    ("application.yaml", "server:\n  port: 8085\nspring:\n  jpa:\n    show-sql: false\n  datasource:\n    url: jdbc:postgresql://db/shop\n    username: shop\nmanagement:\n  endpoints: health,info,prometheus\npasswordPolicy:\n  minLength: 14\n", ["8085", "jdbc:postgresql://db/shop", "username: shop", "health,info,prometheus", "minLength: 14"]),
    ("rules.yaml", 'groups:\n- name: shop\n  rules:\n  - alert: ShopSlow\n    expr: histogram_quantile(0.99, sum(rate(http_request_duration_seconds_bucket{job="shop"}[5m])) by (le)) > 1.5\n    for: 10m\n    annotations:\n      summary: "p99 is {{ $value }}s"\n', ["ShopSlow", "histogram_quantile(0.99", "10m", "p99 is"]),
    ("dashboard.json", json.dumps({"title": "Shop overview", "uid": "shop-overview-1", "panels": [{"type": "timeseries", "title": "Requests per second", "targets": [{"expr": "sum(rate(http_requests_total[1m]))"}]}], "schemaVersion": 39}), ["Shop overview", "shop-overview-1", "timeseries", "Requests per second", "sum(rate(http_requests_total[1m]))", "39"]),
    ("flags.json", json.dumps({"newBasket": {"percent": 25, "salt": "basket"}, "darkMode": True, "maxItems": 140}), ["25", "darkMode", "140"]),
    ("logback.xml", '<configuration><root level="WARN"><appender-ref ref="JSON_STDOUT"/></root><logger name="com.acme.shop.payment.TokenService" level="DEBUG"/></configuration>', ["WARN", "JSON_STDOUT", "com.acme.shop.payment.TokenService", "DEBUG"]),
    ("schema.sql", "CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL, password_hash text);\nCREATE INDEX customers_email ON customers (email);\n", ["CREATE TABLE customers", "PRIMARY KEY", "CREATE INDEX customers_email"]),
    ("routes.toml", '[routes.checkout]\npath = "/checkout/*"\nupstream = "checkout:9000"\nretries = 3\n', ["/checkout/*", "checkout:9000", "retries = 3"]),
    ("index.html", "<html><head><title>Acme shop</title></head><body class='wide'><a href='/password-reset'>Forgot your password?</a></body></html>", ["Acme shop", "wide", "/password-reset"]),
    ("start.sh", "#!/bin/sh\nset -eu\nexec java -jar /app/shop.jar --server.port=8080 --spring.profiles.active=prod\n", ["exec java -jar /app/shop.jar", "--server.port=8080", "prod"]),
    ("ca.crt", pem("CERTIFICATE", "ca")[0], [pem("CERTIFICATE", "ca")[1][0]]),
    ("messages_de.properties", "login.password.label=Kennwort\nlogin.token.expired=Ihre Sitzung ist abgelaufen\nbasket.title=Warenkorb\n", ["Warenkorb"]),
    ("redis.conf", "maxmemory 512mb\nmaxmemory-policy allkeys-lru\nappendonly yes\n", ["512mb", "allkeys-lru", "appendonly yes"]),
    ("crontab", "17 3 * * 1-5 root /usr/bin/backup --keep 14\n", ["17 3 * * 1-5", "--keep 14"]),
]:
    keep(config_map(file, text), *values)
keep(pod({"args": ["--listen=:9090", "--token-ttl=15m", "--storage.tsdb.retention.time=30d", "--leader-elect", "--v=4", "--tls-secret-name=shop-tls", "--key-file=/etc/tls/tls.key"]}), "--listen=:9090", "--token-ttl=15m", "30d", "--leader-elect", "--v=4", "shop-tls", "/etc/tls/tls.key")
keep(pod({"env": [{"name": "DB_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "shop-database", "key": "main-user"}}}], "volumeMounts": [{"name": "tokens", "mountPath": "/var/run/secrets/tokens"}]}), "shop-database", "main-user", "/var/run/secrets/tokens")
keep({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "x", "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt-prod", "nginx.ingress.kubernetes.io/proxy-body-size": "24m"}}, "spec": {"tls": [{"secretName": "shop-example-com-tls", "hosts": ["shop.example.com"]}], "rules": [{"host": "shop.example.com", "http": {"paths": [{"path": "/basket", "pathType": "Prefix", "backend": {"service": {"name": "basket-api", "port": {"number": 8443}}}}]}}]}}, "letsencrypt-prod", "24m", "shop-example-com-tls", "shop.example.com", "/basket", "Prefix", "basket-api", "8443")
keep({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "x"}, "spec": {"minReplicas": 3, "maxReplicas": 17, "metrics": [{"type": "Resource", "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 71}}}]}}, "17", "memory", "Utilization", "71")
keep({"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": "x"}, "spec": {"refreshInterval": "45m", "secretStoreRef": {"name": "vault-eu", "kind": "ClusterSecretStore"}, "data": [{"secretKey": "password", "remoteRef": {"key": "teams/shop/db", "property": "main"}}]}}, "45m", "vault-eu", "ClusterSecretStore", "teams/shop/db", "main")
keep({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "x"}, "spec": {"schedule": "*/20 4 * * 2", "timeZone": "Europe/Berlin", "concurrencyPolicy": "Forbid"}}, "*/20 4 * * 2", "Europe/Berlin", "Forbid")
keep({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "x"}, "spec": {"ingress": [{"from": [{"ipBlock": {"cidr": "10.20.0.0/16", "except": ["10.20.7.0/24"]}}], "ports": [{"protocol": "UDP", "port": 5353}]}]}}, "10.20.0.0/16", "10.20.7.0/24", "UDP", "5353")
keep({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "x"}, "spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"spec": {"properties": {"password": {"type": "string", "description": "Reference to the entry that holds it"}, "tokenLifetime": {"type": "integer", "maximum": 86400}}}}}}}]}}, "Reference to the entry that holds it", "integer", "86400")
keep({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}, "rules": [{"apiGroups": [""], "resources": ["secrets", "configmaps"], "resourceNames": ["shop-settings"], "verbs": ["get", "watch"]}]}, "secrets", "configmaps", "shop-settings", "watch")
keep(custom("Kafka", {"kafka": {"replicas": 3, "storage": {"type": "persistent-claim", "size": "120Gi"}, "authorization": {"type": "simple"}}, "entityOperator": {"userOperator": {"secretPrefix": "kafka-"}}}), "persistent-claim", "120Gi", "simple", "kafka-")
keep(custom("Cluster", {"instances": 3, "bootstrap": {"initdb": {"database": "orders", "owner": "orders_owner", "secret": {"name": "orders-superuser"}}}, "monitoring": {"enablePodMonitor": True}}, "postgresql.cnpg.io/v1"), "orders", "orders_owner", "orders-superuser")
keep({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x", "labels": {"app.kubernetes.io/version": "1.4.0", "team": "basket-and-checkout"}}, "spec": {"type": "LoadBalancer", "externalTrafficPolicy": "Local", "ports": [{"name": "grpc", "port": 50051}]}}, "1.4.0", "basket-and-checkout", "LoadBalancer", "Local", "50051")
