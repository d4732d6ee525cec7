"""Names that mark their value as a secret: `DB_PW`, `apiKey`, but not `tokenTtl` or `topologyKey`.

A name is read word by word. When in doubt it says so: a reader loses a value, nobody loses a password.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_LONGEST = 256
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def word_set(text: str) -> frozenset[str]:
    """The words of a text, parted by spaces."""
    return frozenset(text.split())


_ALWAYS = word_set(
    "password passwords passwd passwds passphrase passphrases passcode pwd pwds secret secrets token tokens "
    "credential credentials cred creds apikey apikeys bearer psk otp totp mnemonic authorization htpasswd "
    "netrc pgpass dockerconfigjson dockerconfig dockercfg kubeconfig keystore salt pepper privatekey sas "
    "connectionstring connstr passwort kennwort contrasena contrase clave senha parola "
    "wachtwoord heslo haslo jelszo salasana losenord passord adgangskode mdp"
)
_AT_THE_END = word_set(
    "pw pws pin pins pass auth auths jwt cookie cookies sig dsn jdbc encrypt requirepass masterauth bindpw rootpw "
    "community signature passe"
)
_CODES = word_set(
    "access auth security verification activation recovery invite backup reset device unlock door pairing"
)
_PHRASES = word_set("seed pass recovery secret backup wallet")
# A last word that makes the name one of something else: when it ends, where it is, what it is called.
_ABOUT = word_set(
    "name names ref refs reference references file files filename path paths dir directory folder url urls "
    "uri uris host hosts hostname port ports endpoint endpoints server servers address addr ttl expiry "
    "expires expiration expire lifetime timeout duration seconds secs minutes hours days ms interval period "
    "age enabled enable disabled disable required require policy policies type types kind mode method methods "
    "algorithm algorithms algo alg length len size min max count limit limits namespace namespaces version "
    "versions provider issuer audience audiences header headers prefix suffix format rotation rotate engine "
    "store class template templates label labels annotation annotations selector domain domains samesite "
    "secure strategy scope scopes role roles mount mounts volume volumes exists optional field fields column "
    "env service account manager controller operator plugin project region zone cluster source target status "
    "state index owner usage usages encoding charset rounds iterations cost validation validator check review "
    "reviews request requests response webhook generator job cron schedule image repository registry digest "
    "checksum fingerprint thumbprint id ids policyname realm level group groups user users username email "
    "locale display description title bucket buckets fill window threshold per expired invalid missing forgot "
    "forgotten wrong incorrect mismatch changed hint placeholder message messages error errors success failed "
    "failure help tooltip heading subject"
)
_PLAIN_KEY = word_set(
    "public pub topology sort primary foreign partition cache map routing object label annotation taint group "
    "metric index lookup hot short header config field column row item record document entry property param "
    "parameter query i18n translation message event idempotency dedup deduplication natural composite unique "
    "search filter json yaml dict shard hash range sorting ordering grouping affinity existing tag context"
)
_KEY_GLUED = re.compile(
    r"(?:api|secret|access|private|encrypt|encryption|fernet|sign|signing|master|shared|account|license|session|hmac"
    r"|aes|rsa|ssh|root|auth|jwt|crypto|cipher|storage|app|server|client|admin|webhook|deploy|consumer|service"
    r"|subscription|instrumentation|user|admin|bot|integration)keys?$"
)
_GLUED = re.compile(r"passw(?:or)?d|passphrase|pwd(?![a-z])|secret|credential|apikey|(?<!de)tokens?$|dbpass")
_NO_PASS = word_set("bypass compass encompass surpass trespass overpass underpass")
_NUMBERS = word_set("token tokens key keys cookie cookies auth")
_USERS = word_set("user users login logins account accounts userlist")
_REFERENCE = word_set("existing checksum checksums digest fingerprint")


def words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case, without what nobody sees: `dbPassword_2` is db, password, 2."""
    return _words(name[-_LONGEST:])


@lru_cache(maxsize=8192)
def _words(name: str) -> tuple[str, ...]:
    shown = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name))
    return tuple(word.lower() for word in _WORD.findall(shown))


def is_secret(name: str) -> bool:
    """Whether a name marks its value as secret."""
    return _is_secret(name[-_LONGEST:])


@lru_cache(maxsize=8192)
def _is_secret(name: str) -> bool:
    domain, _, own = name.rpartition("/")
    parts = _without_number(words(own if "." in domain else name))  # the domain of an annotation says nothing
    if not parts or not _REFERENCE.isdisjoint(parts):
        return False
    last, before = parts[-1], parts[:-1]
    if last in _ABOUT:
        return (
            (last in ("id", "ids") and "secret" in before)
            or (last in ("url", "urls", "uri") and before[-1:] == ("webhook",))
            or (last in ("header", "headers") and before[-1:] in (("auth",), ("authorization",)))
        )
    if parts[:2] == ("secure", "json"):  # Grafana's secureJsonData
        return True
    if not _ALWAYS.isdisjoint(parts) or last in _AT_THE_END:
        return True
    if last in ("key", "keys"):
        return bool(before) and before[-1] not in _PLAIN_KEY
    if last in ("phrase", "phrases"):
        return not _PHRASES.isdisjoint(before)
    if last in ("code", "codes"):
        return bool(before) and before[-1] in _CODES
    return _is_glued(last, "".join(parts))


def is_about(name: str) -> bool:
    """Whether a name beside a secret only describes it, such as `ttl`, `name` or `path`."""
    parts = _without_number(words(name))
    return bool(parts) and parts[-1] in _ABOUT


def names_users(name: str) -> bool:
    """Whether what stands under a name is a user, who may be written with a password: `users: ["shop:…"]`."""
    parts = _without_number(words(name))
    return bool(parts) and parts[-1] in _USERS


def may_be_number(name: str) -> bool:
    """Whether a short number under this name is a setting, as in `maxTokens: 4096`. A PIN is not."""
    parts = words(name)
    return bool(parts) and parts[-1] in _NUMBERS


def _is_glued(last: str, whole: str) -> bool:
    """The same for names whose words nothing parts, such as DBPASSWORD and fernetkey."""
    if _GLUED.search(whole) or _KEY_GLUED.search(last) or last.endswith("pw"):
        return True
    return last.endswith("pass") and last not in _NO_PASS


def _without_number(parts: tuple[str, ...]) -> tuple[str, ...]:
    while parts and parts[-1].isdigit():
        parts = parts[:-1]
    return parts
