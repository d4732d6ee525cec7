"""Which elements of a list are secret: the value after a flag, a login of a command, the second half of a pair."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from stagegate.difference import secret_names, secret_texts

_PASSWORD = "password"  # noqa: S105  the name that such an argument stands for
_LOGIN = ("-u", "-U", "--user", "--proxy-user")
_SETS = ("set", "put")  # commands that take a name and a value
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
    has_command = "add_user" in words or "htpasswd" in command
    kinds: dict[int, str] = {}
    flag, flag_name = "", ""  # the flag that the next word belongs to, and the name of its secret
    for index, word in enumerate(words):
        if word and flag_name:
            if not word.startswith("-") and _is_of_secret(flag, word, takes_login=takes_login):
                kinds[index] = flag_name
            flag_name = ""
        if takes_login and _JOINED.fullmatch(word):
            kinds[index] = _PASSWORD
        offset = _COMMANDS.get(word, 0) if has_command else 0
        if offset and index + offset < len(words):
            kinds[index + offset] = _PASSWORD
        if index and words[index - 1] in _SETS and secret_names.is_secret(word):
            flag, flag_name = word, word
        if name := _flag(word):
            flag, flag_name = word, name
    return kinds


def _is_of_secret(flag: str, value: str, *, takes_login: bool) -> bool:
    """Whether the value of a flag is secret. A short flag of an unknown program is often something else."""
    if flag in _LOGIN:
        return secret_texts.is_login(value)
    return flag not in _SHORT or takes_login or secret_texts.looks_made_up(value)


def _flag(word: str) -> str:
    """The name of the secret that follows a flag (`--password`, `-storepass`, `-u`), or nothing."""
    if not word.startswith("-") or "=" in word:
        return ""
    if word in _LOGIN or word in _SHORT:
        return _PASSWORD
    name = word.lstrip("-")
    return name if secret_names.is_secret(name) else ""
