"""How Go (Kubernetes, Argo CD, Helm) reads a plain scalar of YAML: YAML 1.1 words and Go's own numbers.

Compared with a real reader in tests/pins/test_go_reader.py. https://pkg.go.dev/sigs.k8s.io/yaml
"""

from __future__ import annotations

import math
import struct
from typing import Any

from stagegate.patterns import pattern

STRING = "tag:yaml.org,2002:str"
NULL = "tag:yaml.org,2002:null"
BOOLEAN = "tag:yaml.org,2002:bool"
INTEGER = "tag:yaml.org,2002:int"
FLOAT = "tag:yaml.org,2002:float"
MERGE = "tag:yaml.org,2002:merge"

_TRUE = frozenset(["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"])
_FALSE = frozenset(["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"])
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_ENDLESS = {sign + word: float(sign + "inf") for sign in ("", "+", "-") for word in (".inf", ".Inf", ".INF")}
_NEVER = frozenset((".nan", ".NaN", ".NAN"))
_INTEGER = pattern(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]([0-7]+)|0([0-7]+)|(0|[1-9][0-9]*))")
_FLOAT = pattern(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SEPARATED = pattern(r"\.[0-9]+(?:_[0-9]+)*(?:[eE][-+]?[0-9]+(?:_[0-9]+)*)?")
_BASES = (16, 2, 8, 8, 10)
_LONGEST = 400  # characters; longer digits are no number that anybody means, and costly to convert
_EXPONENT = 6


def tag(text: str) -> str:
    """The tag of a plain scalar."""
    if text in _NULLS:
        return NULL
    if text in _TRUE or text in _FALSE:
        return BOOLEAN
    if text == "<<":
        return MERGE
    if text in _ENDLESS or text in _NEVER:
        return FLOAT
    parsed = number(text)
    return STRING if parsed is None else FLOAT if isinstance(parsed, float) else INTEGER


def value(text: str) -> Any:
    """The value of a plain scalar: None, a boolean, a number, or the text."""
    match tag(text):
        case "tag:yaml.org,2002:null":
            return None
        case "tag:yaml.org,2002:bool":
            return text in _TRUE
        case "tag:yaml.org,2002:int" | "tag:yaml.org,2002:float":
            return math.nan if text in _NEVER else _ENDLESS.get(text, number(text))
        case _:
            return text


def number(text: str) -> int | float | None:
    """The number that a plain scalar is, or None. Go keeps 64 bits of an integer, and text beyond a float."""
    if text[:1] not in "+-.0123456789" or len(text) > _LONGEST or not text:
        return None
    if text[0] == "." and "_" in text and not _SEPARATED.fullmatch(text):
        return None
    plain = text.replace("_", "")
    if whole := _INTEGER.fullmatch(plain):
        sign, *digits = whole.groups()
        base, digits_of_base = next((b, d) for b, d in zip(_BASES, digits, strict=True) if d is not None)
        integer = int(f"{sign}{digits_of_base}", base)
        if -(1 << 63) <= integer < (1 << 63) or (not sign and integer < 1 << 64):
            return integer
    if not _FLOAT.fullmatch(plain):
        return None
    found_float = float(plain)
    return None if math.isinf(found_float) else found_float


def key(parsed: object) -> str:
    """A key as JSON has it, where all keys are text: `on` is "true", `010` is "8", `1.0` is "1".

    ValueError for null and for integers beyond 64 bits, which Go refuses as keys.
    """
    if isinstance(parsed, str):
        return parsed
    if isinstance(parsed, bool):
        return "true" if parsed else "false"
    if isinstance(parsed, int) and -(1 << 63) <= parsed < (1 << 63):
        return str(parsed)
    if isinstance(parsed, float):
        return _float_key(parsed)
    raise ValueError(f"{parsed!r} cannot be a key")


def _float_key(parsed: float) -> str:
    """Go's shortest text of a float of 32 bits, with an exponent below 1e-4 and from 1e6 on."""
    if math.isnan(parsed):
        return ".nan"
    try:
        single = struct.unpack("f", struct.pack("f", parsed))[0]
    except OverflowError:
        single = math.copysign(math.inf, parsed)
    if math.isinf(single):
        return ".inf" if single > 0 else "-.inf"
    for digits in range(1, 10):
        written = f"{single:.{digits - 1}e}"
        if struct.unpack("f", struct.pack("f", float(written)))[0] == single:
            break
    mantissa, _, power = written.partition("e")
    exponent = int(power)
    if exponent < -4 or exponent >= _EXPONENT:
        return f"{mantissa}e{exponent:+03d}"
    return f"{float(written):.{max(len(mantissa.lstrip('-').replace('.', '')) - 1 - exponent, 0)}f}"
