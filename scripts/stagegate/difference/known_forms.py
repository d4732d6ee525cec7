"""Secrets that are recognised by their form: keys of known services, hashed passwords, private key blocks.

Each pattern is tried only where its first letters occur, and begins where no token goes on: linear in the text.
"""

from __future__ import annotations

import re

_FORMS = {
    "PRIVATE KEY": r"-----BEGIN[ A-Z]{0,40}PRIVATE KEY",
    "PuTTY": r"PuTTY-User-Key-File",
    "AGE-": r"AGE-SECRET-KEY-1",
    "eyJ": r"(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}",
    "gh": r"\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}",
    "gl": r"(?<![\w-])gl(?:pat|ptt|dt|rt|soat|cbt|imt|agent|ffct)-[\w-]{12,}|\bgl(?:sa|c)_\w{16,}",
    "xox": r"(?<![\w-])xox[abceoprs]-[\w-]{8,}",
    "xapp": r"(?<![\w-])xapp-\d-[\w-]{8,}",
    "A": r"\b(?:AKIA|ASIA|AROA|AIDA)[0-9A-Z]{12,}|\bATATT\w{16,}|\bEAA[A-Za-z]\w{20,}",
    "AIza": r"(?<![\w-])AIza[\w-]{20,}",
    "ya29": r"(?<![\w-])ya29\.[\w-]{10,}",
    "GOCSPX": r"(?<![\w-])GOCSPX-[\w-]{10,}",
    "k": r"\b(?:sk|rk|pk)[-_](?:live_|test_|ant-|proj-)?\w{16,}|\bkey-[0-9a-f]{32}",
    "whsec": r"\bwhsec_\w{16,}",
    "SG.": r"(?<![\w-])SG\.[\w-]{10,}\.[\w-]{10,}",
    "npm_": r"\bnpm_\w{20,}",
    "pypi-": r"(?<![\w-])pypi-[\w-]{16,}",
    "dckr": r"(?<![\w-])dckr_(?:pat|oat)_[\w-]{10,}",
    "hv": r"(?<![\w-])hv[sbr]\.[\w-]{10,}",
    "hf_": r"\bhf_\w{16,}",
    "dapi": r"\bdapi[0-9a-f]{16,}",
    "_v1_": r"\bdo[opr]_v1_\w{16,}",
    "shp": r"\bshp(?:at|ca|pa|ss)_\w{16,}",
    "NRAK": r"\bNRAK-\w{16,}",
    "lin_api": r"\blin_api_\w{16,}",
    "sq0": r"(?<![\w-])sq0\w{3}-[\w-]{16,}",
    ":AA": r"\b\d{8,10}:AA[\w-]{30,64}",
    "$": r"\$(?:apr1|2[abxy]|5|6|7|y|argon2\w{0,3}|pbkdf2[\w-]{0,10})\$[\w./$=,+-]{4,}",
    "SHA": r"\{S?SHA(?:256|512)?\}[\w+/=]{8,}|\bSCRAM-SHA-256\$\d",
    "hooks.slack": r"hooks\.slack\.com/(?:services|workflows)/\w",
    "/api/webhooks/": r"discord(?:app)?\.com/api/webhooks/\d",
    "webhook.office": r"webhook\.office\.com/\w",
    "earer ": r"\b[Bb]earer\s{1,3}(?=[\w+/=.~-]{0,200}[A-Z\d+/=])[\w+/=.~-]{8,}",
    "asic ": r"\b[Bb]asic\s{1,3}(?=[\w+/=.~-]{0,200}[A-Z\d+/=])[\w+/=.~-]{8,}",
    "uthorization": r"[Aa]uthorization[\"']?[\s:=]{1,4}[\"']?"
    r"(?:[Bb]earer|[Bb]asic|[Tt]oken|[Aa]pi[Kk]ey)\s{1,3}(?![$<{%])\S{4,}",
    "pass:": r"\bpass:[^\s'\"$]{3,}",
    "ENTIFIED": r"\bIDENTIFIED\s{1,3}(?:WITH\s{1,3}\S{1,40}\s{1,3})?(?:BY|AS)\s{1,3}['\"]?[^\s'\"]",
    "entified": r"\bidentified\s{1,3}(?:with\s{1,3}\S{1,40}\s{1,3})?(?:by|as)\s{1,3}['\"]",
    "PASSWORD '": r"PASSWORD '[^'$]",
    "password '": r"password '[^'$]",
    "PASSWORD(": r"PASSWORD\(\s?['\"][^'\"$]",
    "redis-cli": r"\bredis-cli\b[^\n|;]{0,200}?\s-a[ =]?['\"]?[^\s$'\"-]",
    "ldap": r"\bldap(?:search|modify|add|delete|passwd|whoami)\b[^\n|;]{0,300}?\s-w[ =]?['\"]?[^\s$'\"-]",
    "openssl": r"\bopenssl\b[^\n|;]{0,300}?\s-(?:k|K|pass|passin|passout)\s{1,3}"
    r"['\"]?(?!file:|env:|fd:|stdin)[^\s$'\"-]",
    "community": r"\br[ow]community6?[ \t]{1,8}[^\s$]",
    "com2sec": r"\bcom2sec6?[ \t]{1,8}\S{1,64}[ \t]{1,8}\S{1,64}[ \t]{1,8}[^\s$]",
    "api.telegram": r"api\.telegram\.org/bot\d{1,20}:[\w-]",
    "mc ": r"\bmc (?:alias set|config host add)"
    r"\s{1,3}\S{1,64}\s{1,3}\S{1,200}\s{1,3}\S{1,64}\s{1,3}['\"]?[^\s$'\"]",
    "[admins]": r"\[admins\]\s{1,8}\S{1,64}\s?=\s?[^\s$]",
    "cho ": r"\becho\s{1,3}(?:-\w{1,3}\s{1,3})?['\"]?[^\s$'\"|][^\n|]{0,300}\|[^\n|]{0,200}"
    r"(?:--with-token|--[\w-]{0,20}stdin)\b",
    "rintf ": r"\bprintf\s{1,3}(?:['\"]?%s\S{0,4}\s{1,3})?['\"]?[^\s$'\"|%][^\n|]{0,300}\|[^\n|]{0,200}"
    r"(?:--with-token|--[\w-]{0,20}stdin)\b",
    "add_user": r"\b(?:add_user|change_password)\s{1,3}\S{1,64}\s{1,3}[^\s$]",
    "user ": r"(?m)^[ \t]{0,8}user[ \t]{1,3}\S{1,64}[ \t](?:[^\n]{0,200}[ \t])?[>#<!][^\s>#<!]",
    "SETUSER": r"\bSETUSER[ \t]{1,3}\S{1,64}[ \t](?:[^\n]{0,200}[ \t])?[>#<!][^\s>#<!]",
    "chpasswd": r"\bchpasswd\b",
    "sudo": r"\bsudo\s{1,3}-\w{0,6}S",
    "kv ": r"\bkv (?:put|set)\s{1,3}\S{1,200}\s{1,3}[^\s$]",
    "snmp": r"\bsnmp\w{1,20} [^\n]{0,200}?-c ?[^\s$]",
    "lftp": r"\blftp [^\n]{0,100}?-u ?[\w.@-]{1,64},[^\s$]",
    "http": r"\bhttps? [^\n:]{0,80}?-a[ =][\w.@-]{1,64}:[^\s$]",
    "send ": r"\bsend (?:-- )?[\"'][^\s\"'$]{4,64}\\[rn]",
    "SecureString": r"ConvertTo-SecureString\s{1,3}(?:-String\s{1,3})?[\"'][^$\"']",
    "login=": r"\blogin=[\w.@-]{1,64}:[^\s$]",
    "createUser": r"\bcreateUser\s{1,3}\S{1,64}\s{1,3}\S",
    "htpasswd -": r"\bhtpasswd\s{1,3}-\w{0,6}b\w{0,6}\s",
}  # fmt: skip
FORMS = tuple((marker, re.compile(pattern)) for marker, pattern in _FORMS.items())
_PUBLIC = re.compile(
    r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY|X509 CRL|CERTIFICATE REQUEST)-----"
    r"[\sA-Za-z0-9+/=]{1,20000}-----END"
    r"|\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S{1,30}) [A-Za-z0-9+/=]{20,2000}"
    r"|\bsha\d{3}[:-][0-9A-Za-z+/=]{32,128}"
)  # fmt: skip


def is_known(text: str) -> bool:
    """Whether any secret of a known form is in a text."""
    return any(marker in text and pattern.search(text) for marker, pattern in FORMS)


def without_public(text: str) -> str:
    """The text without certificates, public keys and digests, which only look like secrets."""
    if "-----BEGIN" in text or "ssh-" in text or "sha" in text:
        return _PUBLIC.sub(" ", text)
    return text
