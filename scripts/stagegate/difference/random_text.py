"""Whether a text contains random strings: long hexadecimal, or letters and digits mixed as in no language."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator

_SEGMENT = re.compile(r"(?<![A-Za-z0-9+/_=-])[A-Za-z0-9+/_-]{16,}={0,2}")
_HEX = re.compile(r"(?<![\w-])(?:[0-9a-f]{32,}|[0-9A-F]{32,})(?![\w-])")
_WITH_SIGN = re.compile(
    r"(?<![^\s\"'`(=:,|>\[])(?=[\w@.+-]{0,62}[!#^&])[A-Za-z0-9][\w@.+!#^&-]{7,63}(?![^\s\"'`),;\\|<\]])",
    re.ASCII,
)
_PAIRS = (  # of letters, the usual ones of words
    "ab ac ad ag ai al am an ap ar as at au av ay be bl bo br ca ce ch ci ck cl co cr ct da dd de di do "
    "dr du ea eb ec ed ee ef eg el em en ep er es et ev ex fe fi fo fr ge gh gi gr gs ha he hi ho ia ic "
    "id ie if ig il im in io ip ir is it iv ke kn ks ku la ld le li ll lo ls lt lu ly ma me mi mo mp na "
    "nc nd ne nf ng ni no ns nt ob oc od of og ol om on oo op or os ot ou ov ow pa pe pi pl po pr qu ra "
    "rc rd re ri rk rn ro rs rt rv ry sa sc se sh si so sp ss st su ta te th ti tl to tr ts tt tu ty ua "
    "ub ue ui ul un up ur us ut va ve vi vo wa we wh wi wo xt yp "
)
_COMMON = frozenset(_PAIRS.split())


def decoded(text: str) -> Iterator[str]:
    """What the base64 in a text says, where it says something that can be read."""
    for match in _SEGMENT.finditer(text):
        segment = match[0].rstrip("=")
        if "-" in segment or "_" in segment:
            continue
        try:
            plain = base64.b64decode(segment + "=" * (-len(segment) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError):
            continue
        if all(c.isprintable() or c in "\r\n\t" for c in plain):
            yield plain


def holds_random(text: str) -> bool:
    """Whether any token of a text looks like a key, or like the password of a person who had to use a sign."""
    if _HEX.search(text) or any(_has_four_kinds(match[0]) for match in _WITH_SIGN.finditer(text)):
        return True
    return any(_is_random(match[0]) for match in _SEGMENT.finditer(text))


def _has_four_kinds(word: str) -> bool:
    return word != word.upper() and word != word.lower() and any(map(str.isdigit, word))


def _is_random(segment: str) -> bool:
    """Whether letters and digits follow each other as in no language, in at least twenty of them."""
    longest = max(_runs(segment), key=len, default="")
    if len(longest) < 20 or not any(c.isdigit() for c in longest):
        return False
    upper = any(c.isupper() for c in longest)
    lower = any(c.islower() for c in longest)
    if longest.isdecimal() or not (upper or lower):
        return False
    pairs = [longest[i : i + 2].lower() for i in range(len(longest) - 1)]
    letters = [pair for pair in pairs if pair.isalpha()]
    share = sum(pair in _COMMON for pair in letters) / max(1, len(letters))
    digits = sum(c.isdigit() for c in longest)
    return share < 0.5 or (digits >= 4 and share < 0.62 and upper and lower)


def _runs(segment: str) -> Iterator[str]:
    """The segment as one where it is base64, and its parts where `/`, `-` and `_` part words."""
    body = segment.rstrip("=")
    parts = [part for part in re.split(r"[/_+-]", body) if part]
    yield from parts
    wordless = [part for part in parts if len(part) > 3]
    if len(parts) <= 1 + len(body) // 12 and wordless:
        yield "".join(parts)
