"""More places of secrets: files and commands of programs, code, and fields of custom resources.

`{}` stands for the secret, a password of two words, a number and a sign.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from tests.cases.redaction import leaks

LEAKS: list[tuple[str, leaks.Document, list[str]]] = []
NUMBERS = count(1)


def made() -> str:
    return leaks.human(f"own{next(NUMBERS)}")


def plant(form: str, document: leaks.Document, secret: str) -> None:
    LEAKS.append((form, document, [secret]))


for form, file, text in [
    ("cdata", "a.xml", "<x><password><![CDATA[{}]]></password></x>"),
    ("entry", "a.xml", '<entry key="db.password">{}</entry>'),
    ("xml value", "a.xml", '<Password Value="{}"/>'),
    ("xml env", "a.xml", '<env name="DB_PASSWORD">{}</env>'),
    ("plist", "a.plist", "<dict><key>password</key><string>{}</string></dict>"),
    ("csv", "u.csv", "user,password\nbob,{}\n"),
    ("arrow", "a.pl", "my %c = (password => '{}');\n"),
    (
        "connectionstrings",
        "appsettings.json",
        '{{"ConnectionStrings": {{"Default": "Server=db;Password={};"}}}}',
    ),
    ("escaped key", "a.json", '{{"pass\\u0077ord": "{}"}}'),
    ("yaml next line", "a.yaml", "password:\n  {}\nx: 1\n"),
    ("german", "a.ini", "passwort = {}\n"),
    ("french", "a.ini", "mot_de_passe = {}\n"),
    ("spanish", "a.ini", "contrasena = {}\n"),
    ("chpasswd", "a.sh", "echo 'bob:{}' | chpasswd\n"),
    ("chpasswd2", "a.sh", "chpasswd <<< 'bob:{}'\n"),
    ("lftp", "a.sh", "lftp -u bob,{} ftp.example.com\n"),
    ("smb", "a.sh", "smbclient -U bob%{} //a/b\n"),
    ("sqlplus", "a.sh", "sqlplus scott/{}@db\n"),
    ("curl d", "a.sh", "curl -d 'user=a&password={}' https://x\n"),
    ("curl uadmin", "a.sh", "curl -uadmin:{} https://x\n"),
    ("private token", "a.sh", "curl -H 'PRIVATE-TOKEN: {}' https://x\n"),
    ("httpie", "a.sh", "http --auth a:{} https://x\n"),
    ("httpie a", "a.sh", "http -a a:{} https://x\n"),
    ("az", "a.sh", "az login --service-principal -u x -p {} --tenant y\n"),
    ("aws", "a.sh", "aws configure set aws_secret_access_key {}\n"),
    ("vault", "a.sh", "vault kv put secret/x password={}\n"),
    ("consul", "a.sh", "consul kv put shop/db/password {}\n"),
    ("etcdctl", "a.sh", "etcdctl --user root:{} get x\n"),
    ("sudo", "a.sh", "sudo -S ls <<< {}\n"),
    ("echo sudo", "a.sh", "echo {} | sudo -S ls\n"),
    ("keytool", "a.sh", "keytool -genkey -storepass {} -alias x\n"),
    ("gpg", "a.sh", "gpg --batch --passphrase {} -d x\n"),
    ("ipmi", "a.sh", "ipmitool -U a -P {} power\n"),
    ("mosquitto", "a.sh", "mosquitto_pub -u a -P {} -t x\n"),
    ("zip", "a.sh", "zip -P {} x.zip y\n"),
    ("7z", "a.sh", "7z x -p{} a.7z\n"),
    ("snmp", "a.sh", "snmpget -v2c -c {} host\n"),
    ("expect", "a.exp", 'spawn ssh a\nexpect "assword:"\nsend "{}\\r"\n'),
    ("mysql pw", "a.sh", "mysql -uroot --password='{}' x\n"),
    ("mysql -p", "a.sh", 'mysql -u root -p"{}" x\n'),
    ("mongosh", "a.sh", "mongosh -u a -p {} --eval x\n"),
    ("helm", "a.sh", "helm install x y --set-string a=b,db.password={},c=d\n"),
    ("gradle", "a.sh", "gradle build -Ppassword={}\n"),
    ("docker e", "a.sh", "docker run -e DB_PASSWORD={} img\n"),
    ("git clone", "a.sh", "git clone https://bob:{}@x.example/a.git\n"),
    ("heredoc", "a.sh", "cat > .pgpass <<EOF\ndb:5432:*:shop:{}\nEOF\n"),
    ("read", "a.sh", "DB_PASSWORD=${{DB_PASSWORD:-{}}}\n"),
    ("js default", "a.js", "const p = process.env.DB_PASSWORD || '{}';\n"),
    ("py default", "a.py", 'pw = os.getenv("DB_PASSWORD", "{}")\n'),
    ("py kw", "a.py", "connect(host='x', password='{}')\n"),
    ("java", "A.java", 'String password = "{}";\n'),
    ("setter", "A.java", 'ds.setPassword("{}");\n'),
    ("go", "a.go", 'Password:  "{}",\n'),
    ("js fn", "a.js", "client.auth('{}')\n"),
    ("powershell", "a.ps1", '$cred = ConvertTo-SecureString "{}" -AsPlainText\n'),
    ("smtp sasl", "sasl_passwd", "[smtp.example.com]:587 bob:{}\n"),
    ("chap", "chap-secrets", "bob * {} *\n"),
    ("rabbit", "rabbitmq.conf", "default_pass = {}\n"),
    ("mosq passwd", "m.conf", "bob:$7$101${}\n"),
    ("pgbouncer", "pgbouncer.ini", "auth_query = x\nadmin_password = {}\n"),
    ("wpa", "wpa.conf", 'network={{\n ssid="x"\n psk="{}"\n}}\n'),
    ("openvpn", "auth.txt", "bob\n{}\n"),
    ("freeradius", "clients.conf", "client x {{\n secret = {}\n}}\n"),
    ("users", "users", 'bob Cleartext-Password := "{}"\n'),
    ("zabbix", "z.conf", "DBPassword={}\n"),
    ("cassandra", "cqlshrc", "[authentication]\nusername = a\npassword = {}\n"),
    ("logstash", "l.conf", 'elasticsearch {{ hosts => ["x"] user => "a" password => "{}" }}\n'),
    ("fluentd", "f.conf", "<match>\n  password {}\n  user a\n</match>\n"),
    ("haproxy", "h.cfg", "  user a password {}\n"),
    ("haproxy auth", "h.cfg", "  stats auth admin:{}\n"),
    ("caddy", "Caddyfile", "basicauth {{\n  bob {}\n}}\n"),
    ("squid", "squid.conf", "cache_peer x parent 3128 0 login=bob:{}\n"),
    ("prose", "readme.txt", "The admin password is {} and the port 80\n"),
]:
    secret = made()
    plant(form, leaks.config_map(file, text.format(secret)), secret)
for form, value in [
    ("args", ["--auth", "bob:{}"]),
    ("args", ["--user=bob:{}"]),
    ("args", ["-e", "DB_PASSWORD={}"]),
    ("args", ["--env", "PASSWORD={}"]),
    ("args", ["-storepass", "{}"]),
    ("args", ["--oauth2-bearer", "{}"]),
    ("args", ["login", "bob", "{}"]),
    ("args", ["config", "set", "password", "{}"]),
    ("args", ["--set", "auth.password={}"]),
    ("args", ["bash", "-c", "exec app --secret {}"]),
    ("args", ["app", "-password", "{}"]),
    ("args", ["app", "/password:{}"]),
    ("args", ["--connection-string", "Server=x;Pwd={}"]),
    ("args", ["--creds", "bob:{}"]),
    ("args", ["-H", "X-Api-Key: {}"]),
    ("args", ["--requestheader=Token={}"]),
    ("args", ["password={}"]),
    ("args", ["--url", "http://bob:{}@x"]),
]:
    secret = made()
    plant(form, leaks.pod({"args": [word.format(secret) for word in value]}), secret)
SPECS: list[Any] = [
    {"password": {"value": "{}"}},
    {"password": ["{}"]},
    {"headers": {"Authorization": "token {}"}},
    {"headers": ["X-Api-Key: {}"]},
    {"headers": [{"name": "X-Auth-Key", "value": "{}"}]},
    {"env": {"DB_PASSWORD": "{}"}},
    {"vars": [["password", "{}"]]},
    {"items": [{"key": "password", "val": "{}"}]},
    {"items": [{"name": "password", "value": {"plain": "{}"}}]},
    {"items": [{"attribute": "userPassword", "values": ["{}"]}]},
    {"set": [{"path": "db.password", "value": "{}"}]},
    {"patches": [{"op": "add", "path": "/spec/password", "value": "{}"}]},
    {"patch": "- op: replace\n  path: /data/password\n  value: {}\n"},
    {"config": "password={};user=a"},
    {"login": "bob:{}"},
    {"auth": {"basic": "bob:{}"}},
    {"seedPhrase": "{}"},
    {"unlockCode": "{}"},
    {"apiSecret": "{}"},
    {"passKey": "{}"},
    {"license": "{}"},
    {"masterkey": "{}"},
    {"jwtsecret": "{}"},
    {"wifi": {"psk": "{}"}},
    {"saslJaasConfig": 'x required password="{}";'},
    {"basicAuth": {"username": "a", "password": "{}"}},
    {"users": {"bob": "{}"}},
    {"users": [{"name": "bob", "pass": "{}"}]},
    {"accounts": {"admin": {"password": "{}"}}},
    {"key": "{}", "name": "x", "secret": "{}"},
    {"tls": {"key": "{}"}},
    {"valuesFrom": [{"kind": "Secret", "name": "x"}], "values": {"a": {"apiKey": "{}"}}},
    {"credentialsJson": "{}"},
    {"botToken": "{}"},
    {"secretAccessKey": "{}"},
    {"clientSecret": {"value": "{}"}},
    {"adminPasswd": "{}"},
    {"dbpass": "{}"},
    {"MYSQL_PWD": "{}"},
    {"proxy_pass_word": "{}"},
]
for spec in SPECS:
    secret = made()
    document = json.dumps(leaks.custom("Thing", spec)).replace("{}", secret)
    plant(f"custom {json.dumps(spec)[:60]}", json.loads(document), secret)
