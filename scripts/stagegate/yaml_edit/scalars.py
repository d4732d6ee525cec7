"""New text for single scalars of a file, and the proof that nothing else of it changes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from stagegate.errors import Stop
from stagegate.patterns import pattern
from stagegate.yaml_edit.paths import Path, Scalar, aliases, find, written_path
from stagegate.yaml_nodes import STRING, MappingNode, Node, ScalarNode, SequenceNode, text_of
from stagegate.yaml_nodes import compose as documents

_PROPERTIES = pattern(r"(?:[&!]\S*[ \t]+)+")  # a node's marks include its anchor and tag


def replace(content: bytes, changes: Mapping[tuple[int, str | Path], str], file: str) -> bytes:
    """The file with the scalars at (document index, path) replaced by new text.

    Quotes stay; a plain scalar is quoted only where the new text would otherwise not be a string any more.
    Stop(ambiguous-pin) when a path is not exactly one scalar, or when the edit would change anything else
    (the place of an alias, for example; at the place of an anchor its aliases move with it).
    """
    before = documents(content, file)
    text = text_of(content)
    spots: list[tuple[Scalar, str]] = []
    wanted: dict[tuple[int, Path], str] = {}
    for (index, path), value in changes.items():
        scalar = find(before[index], path) if index < len(before) else None
        if scalar is None:
            raise Stop(
                "ambiguous-pin",
                f"{file} has no single value at {path}.",
                "The path leads to no place, to several places, or to something that is not a single value.",
                "Correct the path in the settings, or the file.",
                file=file,
            )
        spots.append((scalar, value))
        wanted[index, scalar.path] = value
    once = {scalar.start: (scalar, value) for scalar, value in spots}  # an alias is where its anchor is
    for _, (scalar, value) in sorted(once.items(), reverse=True):
        properties = _PROPERTIES.match(text, scalar.start, scalar.end)
        start = properties.end() if properties else scalar.start
        text = text[:start] + _written(scalar, value, file) + text[scalar.end :]
    shared = "&" in text
    for (index, path), value in list(wanted.items()):
        places = aliases(before[index], path) if shared else ()
        if places[:1] == (path,):  # whoever names the anchor's place means its aliases too
            wanted |= {(index, place): value for place in places}
    edited = _bytes(text, content)
    line = min((scalar.line for scalar, _ in spots), default=None)
    _compare(before, documents(edited, file), wanted, file, line)
    return edited


def inside(scalar: Scalar, file: str) -> Node | None:
    """The composed mapping that a scalar holds as YAML text, or None when it holds something else."""
    try:
        inner = documents(scalar.value.encode(), file)
    except Stop:
        return None
    return inner[0] if len(inner) == 1 and isinstance(inner[0], MappingNode) else None


def replace_inside(
    content: bytes, index: int, path: str | Path, changes: Mapping[str | Path, str], file: str
) -> bytes:
    """The file with scalars replaced in the YAML text that the block scalar at (document, path) holds.

    Lines of a literal block stand one to one in the file, so a place in the text is a place in the file,
    whatever the indentation, its indicator and the chomping. Stop(ambiguous-pin) as `replace`, and where the
    text is quoted or folded.
    """
    before = documents(content, file)
    outer = find(before[index], path) if index < len(before) else None
    if outer is None or outer.style != "|":
        raise Stop(
            "ambiguous-pin",
            f"The text at {path} in {file} cannot be edited in place.",
            "Of texts with several lines, stagegate edits only literal blocks (|): YAML stores only those "
            "unchanged.",
            "Write the text as a literal block with |, or as a mapping.",
            file=file,
            line=outer.line if outer else None,
        )
    edited = replace(outer.value.encode(), {(0, place): value for place, value in changes.items()}, file)
    text = text_of(content)
    # libyaml ends a block scalar before its last empty lines, so the lines are counted from its start.
    count = outer.value.count("\n") + 1
    header, *rest = text[outer.start :].split("\n")
    lines, behind = rest[:count], rest[count:]
    for number, (old, new) in enumerate(
        zip(outer.value.split("\n"), edited.decode().split("\n"), strict=True)
    ):
        if old != new and number < len(lines):
            body = lines[number].removesuffix("\r")
            lines[number] = body.removesuffix(old) + new + lines[number][len(body) :]
    result = _bytes(text[: outer.start] + "\n".join((header, *lines, *behind)), content)
    _compare(before, documents(result, file), {(index, outer.path): edited.decode()}, file, outer.line)
    return result


def _written(scalar: Scalar, value: str, file: str) -> str:
    if not value.isprintable() or scalar.style in ("|", ">"):
        raise Stop(
            "ambiguous-pin",
            f"The value in {file} is not one line of text.",
            "stagegate edits only printable values on one line.",
            "Write the value on one line.",
            file=file,
            line=scalar.line,
        )
    if scalar.style == "'":
        return "'" + value.replace("'", "''") + "'"
    if scalar.style == '"':
        return json.dumps(value, ensure_ascii=False)
    return value if _stays_plain(value, scalar.tag) else json.dumps(value, ensure_ascii=False)


def _stays_plain(value: str, tag: str) -> bool:
    """Whether the bare text reads back as the same kind of scalar, also in `{}` and in YAML 1.1."""
    if tag != STRING:
        return True
    try:
        (node,) = documents(f"[{value}]".encode(), "value")
    except (Stop, ValueError):
        return False
    items = node.value if isinstance(node, SequenceNode) else []
    number = re.fullmatch(r"[-+]?[\d_.,:]+([eE][-+]?\d+)?|0[xob][0-9a-fA-F_]+", value)
    word = re.fullmatch(r"(?i)y|n|yes|no|on|off|true|false|null|~", value)
    is_text = len(items) == 1 and isinstance(items[0], ScalarNode) and items[0].tag == STRING
    return is_text and not word and (not number or value.count(".") > 1)


def _compare(
    before: Sequence[Node],
    after: Sequence[Node],
    wanted: Mapping[tuple[int, Path], str],
    file: str,
    line: int | None,
) -> None:
    changed = {
        (index, path): now
        for index, (old, new) in enumerate(zip(before, after, strict=False))
        for path, now in differing(old, new)
    }
    unexpected = changed.keys() - wanted.keys()
    if len(before) != len(after):
        unexpected |= {(min(len(before), len(after)), ())}
    missing = [key for key, value in wanted.items() if changed.get(key, value) != value]
    if unexpected or missing:
        places = sorted(".".join(map(str, path)) for _, path in (*unexpected, *missing))
        raise Stop(
            "ambiguous-pin",
            f"The edit of {file} would not change exactly what it should.",
            f"Also affected: {', '.join(places[:5])}.",
            "If the value is an alias, name the place of its anchor as the pin: "
            f"{_anchor(before, wanted, file)}.",
            file=file,
            line=line,
        )


def _anchor(before: Sequence[Node], wanted: Mapping[tuple[int, Path], str], file: str) -> str:
    """A settings line for the place where the first wanted value really stands."""
    index, path = next(iter(wanted))
    places = aliases(before[index], path) if index < len(before) else ()
    return f"{{file: {file}, path: {written_path(places[0] if places else path)}}}"


def differing(old: Node, new: Node, path: Path = ()) -> Iterator[tuple[Path, str | None]]:
    """Paths at which two nodes differ, with the new text of a scalar; None where the kind or the length differs."""
    if (
        type(old) is not type(new)
        or old.tag != new.tag
        or (len(old.value) != len(new.value) and not isinstance(new, ScalarNode))
    ):
        yield path, None
    elif isinstance(old, MappingNode):
        for (key, value), (other, now) in zip(old.value, new.value, strict=True):
            if key.value != other.value and isinstance(key, ScalarNode):
                yield (*path, str(other.value)), None
            yield from differing(value, now, (*path, str(key.value)))
    elif isinstance(old, SequenceNode):
        for index, (value, now) in enumerate(zip(old.value, new.value, strict=True)):
            yield from differing(value, now, (*path, index))
    elif old.value != new.value:
        yield path, str(new.value)


def _bytes(text: str, like: bytes) -> bytes:
    return (b"\xef\xbb\xbf" if like.startswith(b"\xef\xbb\xbf") else b"") + text.encode("utf-8")
