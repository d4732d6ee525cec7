"""How GitHub's runner reads the output and the files of a step, from its own source code.

Lines of either stream: a command is `::name ...::` after leading white space, or `##[name ...]` anywhere.
"""

from __future__ import annotations

import re

COMMANDS = {
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "error",
    "group",
    "notice",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
    "warning",
}


def commands(printed: str) -> list[tuple[str, str]]:
    """Name and data of every command the runner would take from this output."""
    found = []
    for line in re.split(r"\r\n|\r|\n", printed):
        start = line.lstrip()
        if start.startswith("::") and "::" in start[2:]:
            head, _, data = start[2:].partition("::")
        elif "##[" in line and "]" in line[line.index("##[") :]:
            head, _, data = line[line.index("##[") + 3 :].partition("]")
        else:
            continue
        if head.split(" ")[0] in COMMANDS:
            found.append((head.split(" ")[0], unescaped(data)))
    return found


def properties(line: str) -> dict[str, str]:
    """The properties of one annotation line."""
    head = line[2:].partition("::")[0].partition(" ")[2]
    pairs = [pair.partition("=") for pair in head.split(",") if pair]
    return {name: unescaped(value.replace("%3A", ":").replace("%2C", ",")) for name, _, value in pairs}


def unescaped(data: str) -> str:
    """Data of a command as a person sees it."""
    return data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def outputs(text: str) -> dict[str, str]:
    """The values of a file of outputs; a line that is neither `name=` nor `name<<` fails."""
    found, lines = {}, text.split("\n")
    assert lines.pop() == ""
    while lines:
        name, mark, delimiter = re.match(r"([^=<]*)(=|<<)(.*)", lines.pop(0)).groups()  # type: ignore[union-attr]
        if mark == "=":
            found[name] = delimiter
            continue
        end = lines.index(delimiter)
        found[name], lines = "\n".join(lines[:end]), lines[end + 1 :]
    return found
