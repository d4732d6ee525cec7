"""Filling in templates: plain `{{name}}`, or Go templates, which helm evaluates: its language is the same."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from stagegate.argocd_app.sets.parameters import Parameters, Unexpanded
from stagegate.clients import helm
from stagegate.errors import Stop

_PLAIN = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_ACTION = re.compile(r"\{\{(-\s)?(\s*)((?:\"(?:\\.|[^\"\\])*\"|`[^`]*`|(?!\}\}).)*?)(\s-)?\}\}", re.DOTALL)
_CHAIN = re.compile(r"(?<![\w.)\]])(\$\w*|)((?:\.[A-Za-z_]\w*)+)")
_QUOTED = re.compile(r"\"(?:\\.|[^\"\\])*\"|`[^`]*`")
_NO_VALUE = "\ue000no value\ue000"

# `normalize` of Argo CD and the check behind missingkey=error; helm has neither.
_HELPERS = r"""
{{- define "sg.normalize" -}}
{{ regexReplaceAll "[^-a-z0-9.]" (lower (toString .)) "-" | trunc 253 | trimAll "-." }}{{ end }}
{{- define "sg.has" }}{{ $at := index . 0 }}{{ range $name := slice . 1 -}}
{{ if kindIs "map" $at }}{{ if hasKey $at $name }}{{ $at = index $at $name }}{{ else -}}
{{ fail (printf "map has no entry for key %q" $name) }}{{ end }}{{ end }}{{ end }}{{ end }}
apiVersion: v1
kind: ConfigMap
metadata: {name: set}
results:
{{- range .Values.work }}
- {{ tpl .template .parameters | b64enc | quote }}
{{- end }}
"""


def plain(value: object, parameters: Mapping[str, object]) -> Any:
    """A value with `{{name}}` replaced in all its texts, also keys; a name nobody gives stays as it is."""

    def fill(match: re.Match[str]) -> str:
        given = parameters.get(match[1].strip())
        return given if isinstance(given, str) else match[0]

    return _walk(value, lambda text: _PLAIN.sub(fill, text))


def go(values: Sequence[object], parameters: Sequence[Parameters], options: Iterable[str] = ()) -> list[Any]:
    """Each value with its parameters, its texts taken for Go templates. Unexpanded with the template's error."""
    strict = "missingkey=error" in set(options)
    work: dict[str, tuple[str, Parameters]] = {}

    def key_of(text: str, given: Parameters) -> str:
        return json.dumps([text, id(given)])

    def note(given: Parameters) -> Callable[[str], str]:
        def remember(text: str) -> str:
            if "{{" in text:
                work[key_of(text, given)] = (text, given)
            return text

        return remember

    for value, given in zip(values, parameters, strict=True):
        _walk(value, note(given))
    results = dict(zip(work, _evaluated(list(work.values()), strict=strict), strict=True)) if work else {}

    def result(given: Parameters) -> Callable[[str], str]:
        return lambda text: results.get(key_of(text, given), text)

    return [_walk(value, result(given)) for value, given in zip(values, parameters, strict=True)]


def _evaluated(work: Sequence[tuple[str, Parameters]], *, strict: bool) -> list[str]:
    """All texts in one run of helm: a chart whose only template evaluates them one by one."""
    with tempfile.TemporaryDirectory(prefix="stagegate-set-") as folder:
        chart = Path(folder) / "set"
        (chart / "templates").mkdir(parents=True)
        (chart / "Chart.yaml").write_text("apiVersion: v2\nname: set\nversion: 0.0.0\n", encoding="utf-8")
        (chart / "templates" / "NOTES.tpl").write_text("", encoding="utf-8")
        (chart / "templates" / "all.yaml").write_text(_HELPERS, encoding="utf-8")
        listed = [{"template": _for_helm(text, strict=strict), "parameters": given} for text, given in work]
        try:
            rendered = helm.template(
                chart, release_name="set", namespace="default", values=[json.dumps({"work": listed}).encode()]
            )
        except Stop as stop:
            raise Unexpanded(_reason(stop.why)) from stop
    results = yaml.load(rendered, yaml.CSafeLoader)["results"]
    texts = [base64.b64decode(one).decode("utf-8", "replace") for one in results]
    return [text.replace(_NO_VALUE, "<no value>") for text in texts]


def _for_helm(text: str, *, strict: bool) -> str:
    """A template of Argo CD in helm's dialect: its own functions, and what it prints for what is not there."""

    def action(match: re.Match[str]) -> str:
        left, space, body, right = match[1] or "", match[2], match[3], match[4] or ""
        plain_body = _QUOTED.sub(lambda quoted: " " * len(quoted[0]), body)
        checks = "".join(_check(chain) for chain in _CHAIN.finditer(plain_body)) if strict else ""
        keyword = re.match(r"\s*(\w+)\b", plain_body)
        if re.match(r"\s*(?:else|end|define|block|template|/\*)", plain_body):
            checks = ""
        body = re.sub(r"\bnormalize\b", 'include "sg.normalize"', body) if "normalize" in plain_body else body
        if checks:
            checks, left = f"{{{{{left}{checks[2:]}", ""
        if not keyword and _CHAIN.fullmatch(plain_body.strip()):
            chain = body.strip()
            first, last = f'{{{{{left} if kindIs "invalid" {chain} }}}}', f"{{{{ end {right}}}}}"
            return f"{checks}{first}{_NO_VALUE}{{{{ else }}}}{{{{ {chain} }}}}{last}"
        return f"{checks}{{{{{left}{space}{body}{right}}}}}"

    return _ACTION.sub(action, text)


def _check(chain: re.Match[str]) -> str:
    names = " ".join(json.dumps(name) for name in chain[2].split(".")[1:])
    return f'{{{{ include "sg.has" (list {chain[1] or "."} {names}) }}}}'


def _reason(why: str) -> str:
    """The template's own error out of helm's sentence about it."""
    match = re.search(
        r"(?:error calling (?:fail|include|tpl): )?([^:]*map has no entry for key \"[^\"]+\")", why
    )
    return f"failed to execute go template: {match[1].strip() if match else why}"


def _walk(value: object, change: Callable[[str], str]) -> Any:
    if isinstance(value, Mapping):
        return {change(str(key)): _walk(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, change) for item in value]
    return change(value) if isinstance(value, str) else value
