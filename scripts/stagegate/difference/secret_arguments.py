"""Which elements of a list are secret: the value after a flag, a login of a command, the second half of a pair."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stagegate.difference import secret_names, secret_texts

_PASSWORD = "password"  # noqa: S105  the name that such an argument stands for
_LOGIN = ("-u", "-U", "--user", "--proxy-user")
_SHORT = ("-p", "-a", "-w")
_JOINED = re.compile(r"-[pa](?!\d+(?::\d+)*$)(?![$/.])(?![a-z]+$)(\S{3,})")
_COMMANDS = {"add_user": 2, "change_password": 2, "-bn": 2, "-b": 3, "-nb": 2, "-bc": 3, "-cb": 3}


def places(values: Sequence[object], *, is_pair: bool) -> Mapping[int, str]:
    """Index of each secret element, and the name that says so. `is_pair`: two elements may be name and value."""
    words = [value if isinstance(value, str) else "" for value in values]
    if is_pair and len(words) == 2 and secret_names.is_secret(words[0]):
        return {1: words[0]}
    command = " ".join(word[:256] for word in words)[:4096]
    takes_login = secret_texts.takes_login(command)
    found: dict[int, str] = {}
    for index, word in enumerate(words):
        if takes_login and _JOINED.fullmatch(word):
            found[index] = _PASSWORD
        offset = _COMMANDS.get(word, 0) if "add_user" in words or "htpasswd" in command else 0
        if offset and index + offset < len(words):
            found[index + offset] = _PASSWORD
        name = _flag(word, takes_login=takes_login)
        following = next((i for i in range(index + 1, len(words)) if words[i]), None) if name else None
        if following is None or words[following].startswith("-"):
            continue
        if word not in _LOGIN or secret_texts.is_login(words[following]):
            found[following] = name
    return found


def _flag(word: str, *, takes_login: bool) -> str:
    """The name of the secret that follows a flag (`--password`, `-storepass`, `-u`), or nothing."""
    if not word.startswith("-") or "=" in word:
        return ""
    if word in _LOGIN or (takes_login and word in _SHORT):
        return _PASSWORD
    name = word.lstrip("-")
    return name if secret_names.is_secret(name) else ""
