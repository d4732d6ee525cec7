"""Generated YAML documents with everything that YAML readers are known to read differently."""

from __future__ import annotations

import random

WORDS = [
    "on",
    "off",
    "yes",
    "no",
    "y",
    "n",
    "Y",
    "N",
    "true",
    "false",
    "True",
    "FALSE",
    "null",
    "~",
    "Null",
    "NULL",
    "nan",
    ".nan",
    ".inf",
    "-.INF",
    ".Inf",
    "none",
    "=",
    "<<",
    "!",
    "%",
    "@",
    "`",
    "-",
    "?",
    ":",
    "010",
    "0o10",
    "0O7",
    "0x1F",
    "0X1f",
    "0b11",
    "0B1",
    "1_000",
    "1__0",
    "_1",
    "1_",
    "1.10",
    "1.",
    ".5",
    "5e3",
    "1e3",
    "1E-3",
    "1e+3",
    "+1",
    "-0",
    "+0",
    "00",
    "08",
    "09",
    "0.0",
    "-.5",
    "+.5",
    "1:30",
    "190:20:30",
    "12:30:45.5",
    "1e400",
    "123456789012345678901234567890",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551615",
    "0x7fffffffffffffff",
    "0xffffffffffffffffff",
    "0b2",
    "0o8",
    "0xG",
    "1e",
    "1e+",
    "1.2.3",
    "2024-01-01",
    "2024-1-1",
    "2024-01-01T10:00:00Z",
    "2024-01-01",
    "10:00:00",
    "2001-99-99",
    "v1.0.0",
    "1.0.0",
    "1.0",
    "1.10.0",
    "a",
    "#b",
    "a#b",
    "a:b",
    "a'b",
    'a"b',
    "-a",
    "?a",
    ":a",
    "a,b",
    "<<x",
    "*x",
    "&x",
    "|x",
    ">x",
    "é",
    "日本",
    "\xa0",
    ".",
    "..",
    "...",
    "a...b",
    "---",
    "1,000",
    "0_1",
    "0x_1",
    "0b_1",
    "+0x1",
    "-0x1F",
    "-010",
    "+010",
    "-0b1",
    "0o-1",
    "1e3_0",
    "1_0.5",
    ".5_0",
    "._5",
    ".e3",
    "0.",
    "-.",
    "+",
    "-",
    "1_000.5",
    "685_230.15",
    "6.8523015e+5",
    "685.230_15e+03",
    "Y1",
    "nO",
    "oN",
    "yEs",
    "tRue",
    "NuLL",
    "nULL",
    ".Nan",
    ".NAN",
    ".NaN",
    ".INF",
    "+.inf",
    "-.inf",
    "0777",
    "0888",
    "1e1000",
    "0e0",
    "-0.0",
    "1.0e0",
]
KEYS = ("a", "b", "c", "on", "1", "1.0", "null", "~", "true", "y", "010", '"a b"', "'q'", "é", "a-b", "a.b", "0x10", "1e3", "2024-01-01", ".5")  # fmt: skip
BLOCKS = ("|", "|-", "|+", ">", ">-", ">+", "|2", ">2-")
ESCAPES = ('"a\\tb"', '"\\x41"', '"\\u00e9"', '"\\U0001F600"', '"\\/"', '"a\\\n   b"', '"\\e\\0"', '"\\N\\_\\L\\P"', "'it''s'", '"\\ud83d"', '""', "''")  # fmt: skip


def document(chance: random.Random) -> str:
    """One document, a mapping in most cases."""
    lines = _mapping(chance, 0, 0)
    if chance.random() < 0.1:
        lines.insert(0, "--- # begins")
    if chance.random() < 0.05:
        lines.append(chance.choice(["...", "---", "# end", "--- ", ""]))
    if chance.random() < 0.05:
        at = chance.randrange(len(lines))
        lines[at] = lines[at].replace(" ", chance.choice(["\t", "  ", "\u00a0"]), 1)
    end = "\r\n" if chance.random() < 0.08 else "\n"
    text = end.join(lines) + (end if chance.random() < 0.9 else "")
    return ("\ufeff" if chance.random() < 0.02 else "") + text


def _mapping(chance: random.Random, indent: int, depth: int) -> list[str]:
    lines: list[str] = []
    anchored: list[str] = []
    for _ in range(chance.randint(1, 4)):
        key = chance.choice(KEYS) if chance.random() < 0.5 else f"k{chance.randrange(20)}"
        pad = " " * indent
        if chance.random() < 0.04 and anchored:
            lines.append(f"{pad}<<: *{chance.choice(anchored)}")
            continue
        anchor = ""
        if chance.random() < 0.06:
            anchored.append(f"x{len(anchored)}{depth}")
            anchor = f" &{anchored[-1]}"
        kind = chance.random()
        if kind < 0.12 and depth < 3:
            lines += [f"{pad}{key}:{anchor}", *_mapping(chance, indent + chance.choice([1, 2, 4]), depth + 1)]
        elif kind < 0.2:
            step = chance.choice([0, 2])
            lines.append(f"{pad}{key}:{anchor}")
            lines += [f"{pad}{' ' * step}- {_scalar(chance)}" for _ in range(chance.randint(1, 3))]
        elif kind < 0.28:
            block = chance.choice(BLOCKS)
            lines.append(f"{pad}{key}:{anchor} {block}")
            lines += [
                f"{pad}  {chance.choice(['text', ' more', '', '# no comment', 'a: b', '---'])}"
                for _ in range(3)
            ]
        elif kind < 0.36:
            inner = ", ".join(_flow(chance) for _ in range(chance.randint(0, 3)))
            lines.append(
                f"{pad}{key}:{anchor} " + (f"[{inner}]" if chance.random() < 0.5 else f"{{{_pairs(chance)}}}")
            )
        elif kind < 0.4 and anchored and not anchor:
            lines.append(f"{pad}{key}: *{chance.choice(anchored)}")
        elif kind < 0.43:
            lines += [
                f"{pad}{key}:{anchor} {_scalar(chance)}",
                f"{pad}  {chance.choice(['goes on', 'on', '1'])}",
            ]
        else:
            comment = chance.choice(["", "", "", " # said", "  #said", "#nothing"])
            lines.append(f"{pad}{key}:{anchor} {_scalar(chance)}{comment}")
    return lines


def _scalar(chance: random.Random) -> str:
    found = chance.choice(ESCAPES) if chance.random() < 0.1 else chance.choice(WORDS)
    return f'"{found}"' if chance.random() < 0.05 and '"' not in found and "\\" not in found else found


def _flow(chance: random.Random) -> str:
    return chance.choice(WORDS) if chance.random() < 0.8 else f"{{{_pairs(chance)}}}"


def _pairs(chance: random.Random) -> str:
    count = chance.randint(0, 2)
    return ", ".join(f"{chance.choice(KEYS)}: {chance.choice(WORDS)}" for _ in range(count))
