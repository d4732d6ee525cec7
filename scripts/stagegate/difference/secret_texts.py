"""Whether a text contains a secret: by its form, by the name before it, by a login in an address. In linear time.

Names are read once, from left to right, and what follows one is looked at within bounds. A text over `LONGEST` is
not looked into: it counts as one.
"""

from __future__ import annotations

import re

from stagegate.difference import known_forms, random_text, secret_names
from stagegate.difference.harmless import is_harmless, is_reference

LONGEST = 256 * 1024  # characters

_NAME = re.compile(r"(?<![\w.$-])-{0,2}[^\W\d][\w.-]*")
_VALUE = r"(?:\"([^\"\n]{0,256})|'([^'\n]{0,256})|([^\s\"'][^\s&;,\"']{0,256})?)"
_ASSIGNED = re.compile(r"\]?[\"']?\]?\s{0,4}(?:=>|:=|\?=|\+=|==?|:)\s{0,4}" + _VALUE)
_LISTED = re.compile(r"[\"']\s{0,4},\s{0,4}" + _VALUE)
_AFTER_FLAG = re.compile(r"\s{1,4}(?:\"([^\"\n]{1,256})|'([^'\n]{1,256})|([^\s\"'-][^\s\"']{0,256}))")
_AFTER_SPACE = re.compile(r"[ \t]{1,8}(?:\"([^\"\n]{1,256})\"|'([^'\n]{1,256})'|([^\s\"'=:<>][^\s;]{0,256}))")
_ELEMENT = re.compile(
    r"(?:[^<>]{0,256}>(?:<!\[CDATA\[)?|[^<>]{0,64}\s[Vv]alue\s?=\s?[\"'])([^<>]{1,2000}?)(?:\]\]>)?(?:</|[\"']\s?/?>)"
)
_NEXT_ELEMENT = re.compile(r"</[\w:.-]{1,64}>\s{0,32}<[\w:.-]{1,64}>\s{0,32}([^\s<>][^<>]{0,2000})</")
_CALLED = re.compile(r"\(\s{0,4}(?:\"([^\"\n]{1,256})\"|'([^'\n]{1,256})'|`([^`\n]{1,256})`)")
_CALLED_SO = re.compile(r"\s{1,3}(?:is|was)\s{1,3}[\"']?()()([^\s\"']{6,256})")
_ATTRIBUTE = re.compile(r"[\"'][^<>]{0,256}?(?:>\s{0,8}|value\s{0,2}=\s{0,2}[\"'])[^\s<>\"']")
_USERINFO = re.compile(r"://([^\s/@'\"<>]{1,512})@")
_LOGIN_AT = re.compile(
    r"(?<![\w./:@+-])[\w.+-]{1,64}[:/](?![$<{%*])[^\s:@/'\"]{3,256}@(?!sha\d{3}:)[\w(\[/][\w.(\[/-]{0,200}"
)
_LOGIN_FLAG = re.compile(
    r"(?<![\w-])(?:-u|-U|--user|--proxy-user|--login)(?:[ =]{1,3})?['\"]?"
    r"[A-Za-z][\w.@-]{0,64}[:%](?![$\d]{1,8}\b)[^\s$'\"]"
)
_LINE_OF_LOGINS = re.compile(
    r"^[^\s:#]{1,128}:(?:\d{1,5}|\*):[^\s:]{1,128}:[^\s:]{1,128}:(?!\d{1,5}$)\S{1,256}$"  # .pgpass
    r"|^\"[\w.@-]{1,64}\" \"[^\"\n]{1,256}\"$",  # userlist.txt of PgBouncer
    re.MULTILINE,
)
_QUERY = re.compile(
    r"[?&](?:[a-z-]{0,20}sig|[a-z-]{0,20}signature|sign|code|key|auth|st|pass|pwd|x-(?:amz|goog|oss|obs|cos)-[a-z-]{1,30})"
    r"=(?![$<{%])[^\s&\"']{8,}",
    re.I,
)
_USER_AND_PASSWORD = re.compile(
    r"(?!system:|arn:|urn:)[A-Za-z][\w.@-]{0,64}:(?!//|\d{1,5}$|[$<{])[^\s:]{3,256}"
)
_SHORT_FLAG = re.compile(r"(?<![\w-])-([pPaw])(['\"]?)[ =]?([^\s'\"-][^\s'\"]{0,256})")
_NO_WORD = re.compile(r"\d|[^\w./:-]")
_SIGN = re.compile(r"[^\w./:,=+~@-]")
_COLUMN = re.compile(r"\w[\w .-]{0,40}")
_LINE = 512  # characters around a name that are looked at as its line
_FINGERPRINT = re.compile(
    r"sha\d{0,3}|digest|checksum|commit|revision|fingerprint|thumbprint|version|image|etag|integrity", re.I
)
_TAKES_LOGIN = re.compile(
    r"\b(?:mysql\w*|mariadb[\w-]*|sshpass|redis-cli|docker|podman|helm|skopeo|crane|oras|buildah|ldap(?:search|modify|add)"
    r"|mongo\w*|htpasswd|7z|zip|unzip|rabbitmqadmin|influx|cqlsh|sqlcmd|bcp)\b|(?<![\w-])-u\s?[A-Za-z]"
)  # fmt: skip


def holds_secret(text: str, name: str = "", *, prose: bool = False) -> bool:
    """Whether any part of a text may be secret. `name` is what it stands under; `prose` is meant for people."""
    if len(text) > LONGEST:
        return True
    text = known_forms.without_public(text)
    if _tells(text, prose=prose) or any(_tells(one, prose=False) for one in random_text.decoded(text)):
        return True
    return not _FINGERPRINT.search(name) and random_text.holds_random(text)


def takes_login(command: str) -> bool:
    """Whether a command line is of a program that takes its password as a short flag."""
    return _TAKES_LOGIN.search(command) is not None


def is_login(value: str) -> bool:
    """Whether the value of `-u` is a user with a password."""
    return re.match(r"[A-Za-z][\w.@-]{0,64}[:%](?![$<{])\S", value) is not None


def is_user_with_password(value: str) -> bool:
    """Whether the value of a field such as `users` is a name with a password, and no address or system name."""
    return _USER_AND_PASSWORD.fullmatch(value) is not None


def looks_made_up(value: str) -> bool:
    """Whether a word has three kinds of characters, such as a password that nothing else gives away."""
    kinds = (
        value != value.upper(),
        value != value.lower(),
        any(map(str.isdigit, value)),
        _SIGN.search(value),
    )
    return len(value) >= 8 and "/" not in value and sum(map(bool, kinds)) >= 3


def looks_chosen(value: str) -> bool:
    """Whether a word looks like a password rather than like a word of a sentence."""
    value = value.strip("\"'`")
    if len(value) < 6:
        return False
    is_mixed = value != value.upper() and value[1:] != value[1:].lower()
    return is_mixed or _NO_WORD.search(value) is not None


def _tells(text: str, *, prose: bool) -> bool:
    return (
        _is_table(text)
        or known_forms.is_known(text)
        or _has_login(text)
        or any(_is_given(text, match, prose=prose) for match in _NAME.finditer(text))
        or (" -" in text and _has_short_flag(text))
    )


def _is_table(text: str) -> bool:
    """Whether a text is a table with a column of secrets, such as `user,password`."""
    head, line_feed, rest = text.partition("\n")
    if not line_feed or len(head) > _LINE:
        return False
    for separator in (",", ";", "\t"):
        columns = [column.strip("\"' \r") for column in head.split(separator)]
        if len(columns) > 1 and rest.partition("\n")[0].count(separator) == len(columns) - 1:
            names = [column for column in columns if _COLUMN.fullmatch(column)]
            return len(names) == len(columns) and any(map(secret_names.is_secret, names))
    return False


def _is_given(text: str, match: re.Match[str], *, prose: bool) -> bool:
    """Whether a name in a text is that of a secret, and its value follows."""
    name = match[0].lstrip("-")
    if not secret_names.is_secret(name):
        return False
    start, end = match.span()
    before = text[start - 1] if start else "\n"
    after = _ASSIGNED.match(text, end) or (_LISTED.match(text, end) if before in "\"'" else None)
    if after is not None:
        return _counts(name, _value(after), prose=prose)
    if before in "\"'" and _ATTRIBUTE.match(text, end):
        tag = text[max(0, start - 256) : start]
        return tag.rfind("<") > tag.rfind(">") and tag.rstrip("\"'").rstrip().endswith("=")
    if before == ">" and (following := _NEXT_ELEMENT.match(text, end)):
        return _counts(name, following[1], prose=False)
    if before == "<":
        element = _ELEMENT.match(text, end)
        return element is not None and _counts(name, element[1], prose=False)
    if called := _CALLED.match(text, end) or _CALLED_SO.match(text, end):
        return looks_chosen(_value(called)) and _counts(name, _value(called), prose=prose)
    if match[0].startswith("-"):
        flag = _AFTER_FLAG.match(text, end)
        return flag is not None and _counts(name, _value(flag), prose=prose)
    return not prose and before in "\n \t;{(" and _is_directive(text, match)


def _value(match: re.Match[str]) -> str:
    return match[1] or match[2] or match[3] or ""


def _counts(name: str, value: str, *, prose: bool) -> bool:
    value = value.rstrip(".,)") if prose else value
    return bool(value) and not is_harmless(name, value) and (not prose or looks_chosen(value))


def _is_directive(text: str, match: re.Match[str]) -> bool:
    """`requirepass x` in a file of settings: few words on its line, or a value that nobody writes in prose."""
    after = _AFTER_SPACE.match(text, match.end())
    if after is None or is_harmless(match[0], _value(after).rstrip("),")):
        return False
    value, name = _value(after), match[0]
    if looks_chosen(value):
        return True
    before = text[max(0, match.start() - _LINE) : match.start()].rpartition("\n")
    after_it = text[match.start() : match.start() + _LINE].partition("\n")
    if before[2] == "" and not before[1] and not after_it[1]:  # the first word of a text of one line
        return False
    line = (before[2] + after_it[0]).strip().rstrip(";}")
    few = len(line.split()) <= 3 or line.startswith("machine ") or "-" in name or "_" in name
    is_last = bool(before[1] or after_it[1]) and line.rstrip("\"'").endswith(value)
    return few or is_last


def _has_login(text: str) -> bool:
    if "@" in text and (_has_userinfo(text) or _LOGIN_AT.search(text)):
        return True
    if ("-u" in text or "-U" in text or "--" in text) and _LOGIN_FLAG.search(text):
        return True
    if (":" in text or '" "' in text) and _LINE_OF_LOGINS.search(text):
        return True
    return "=" in text and _QUERY.search(text) is not None


def _has_userinfo(text: str) -> bool:
    """Whether an address has a login: a password that is no reference, or a user alone, which may be a token."""
    parts = (match[1].rpartition(":")[2] for match in _USERINFO.finditer(text))
    return not all(is_reference(part) and not re.match(r"\$[a-z]", part) for part in parts)


def _has_short_flag(text: str) -> bool:
    if not _TAKES_LOGIN.search(text):
        return False
    for match in _SHORT_FLAG.finditer(text):
        letter, value = match[1], match[3]
        if value[0] in "$/.{<" or re.fullmatch(r"\d+(?::\d+)*(?:/\w+)?", value):
            continue
        if letter in "pP" or looks_chosen(value):
            return True
    return False
