"""Writes the table of Kubernetes' fields that chart-check reads, out of the package kubernetes-validate.

    python -m venv /tmp/schemas && /tmp/schemas/bin/pip install kubernetes-validate
    python -m lab.kubernetes_table /tmp/schemas/lib/python3.*/site-packages/kubernetes_validate

The package holds the OpenAPI schemas of every version, about 100 MB, which is too much for a run. The table
keeps the four newest versions: names, types, required fields and enumerations, without the descriptions.
A definition is stored once for all versions that agree on it.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "scripts/stagegate/chart/kubernetes/table.json"
NEWEST = 4
_VERSION = re.compile(r"v(\d+)\.(\d+)\.\d+-local")
_MEMBER = re.compile(r'^\s*-\s+`"([^"`]*)"`', re.MULTILINE)
_SPECIAL = {
    "apimachinery.pkg.api.resource.Quantity": "q",
    "apimachinery.pkg.util.intstr.IntOrString": "x",
    "apimachinery.pkg.apis.meta.v1.Time": "s",
    "apimachinery.pkg.apis.meta.v1.MicroTime": "s",
    "apimachinery.pkg.apis.meta.v1.FieldsV1": "*",
    "apimachinery.pkg.runtime.RawExtension": "*",
}


def main(package: Path) -> None:
    """Read the newest versions of the package and write the table."""
    folders = {
        (int(match[1]), int(match[2])): folder
        for folder in (package / "kubernetes-json-schema").iterdir()
        if (match := _VERSION.fullmatch(folder.name))
    }
    versions = sorted(folders)[-NEWEST:]
    kinds: dict[str, list[str]] = {}
    types: dict[str, list[list[Any]]] = {}
    for version in versions:
        document = json.loads((folders[version] / "_definitions.json").read_text(encoding="utf-8"))
        definitions = document.get("$defs") or document.get("definitions")
        name = f"{version[0]}.{version[1]}"
        roots = set()
        for full, definition in definitions.items():
            for kind in definition.get("x-kubernetes-group-version-kind") or ():
                if (
                    kind["kind"].endswith(("List", "Options", "Event"))
                    or len(definition["x-kubernetes-group-version-kind"]) > 1
                ):
                    continue
                api = f"{kind['group']}/{kind['version']}" if kind["group"] else kind["version"]
                kinds.setdefault(f"{api} {kind['kind']} {_short(full)}", []).append(name)
                roots.add(full)
        for full in sorted(_reachable(definitions, roots)):
            fields = _fields(definitions[full])
            variants = types.setdefault(_short(full), [])
            if variants and variants[-1][1] == fields:
                variants[-1][0].append(name)
            else:
                variants.append([[name], fields])
    lines = [f'"versions": {json.dumps([f"{a}.{b}" for a, b in versions])}']
    lines.append('"kinds": {\n' + ",\n".join(_line(key, kinds[key]) for key in sorted(kinds)) + "\n}")
    lines.append('"types": {\n' + ",\n".join(_line(key, types[key]) for key in sorted(types)) + "\n}")
    TARGET.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def _line(key: str, value: object) -> str:
    return f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}"


def _reachable(definitions: dict[str, Any], roots: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = sorted(roots)
    while waiting:
        name = waiting.pop()
        if name in reached or name.removeprefix("io.k8s.") in _SPECIAL:
            continue
        reached.add(name)
        waiting += _references(definitions[name])
    return {name for name in reached if definitions[name].get("properties")}


def _references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "$ref" and isinstance(item, str):
                yield item.rpartition("/")[2]
            elif key != "status":
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _fields(definition: dict[str, Any]) -> dict[str, str]:
    """Every field with its type in short; `!` in front of one that is required."""
    required = set(definition.get("required") or ())
    return {
        name: ("!" if name in required else "") + ("*" if name == "status" else _type(field))
        for name, field in sorted(definition["properties"].items())
    }


def _type(field: dict[str, Any]) -> str:
    """One letter, `[` and `{` with the type of the members, `@` with the name of a definition."""
    reference = field.get("$ref")
    if isinstance(reference, str):
        name = _short(reference.rpartition("/")[2])
        return _SPECIAL.get(name) or ("*" if "JSON" in name.rpartition(".")[2] else f"@{name}")
    kinds = field.get("type") or ""
    name = next((kind for kind in kinds if kind != "null"), "") if isinstance(kinds, list) else str(kinds)
    if name == "array":
        return "[" + _type(field.get("items") or {})
    if name == "object":
        values = field.get("additionalProperties")
        return "{" + _type(values) if isinstance(values, dict) and values else "o"
    if name == "string":
        members = _MEMBER.findall(str(field.get("description", "")))
        coded = "d" if field.get("format") == "byte" else "s"
        return f"s={'|'.join(members)}" if members and all(members) else coded
    return {"integer": "i", "number": "n", "boolean": "b"}.get(str(name), "*")


def _short(name: str) -> str:
    return name.removeprefix("io.k8s.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
