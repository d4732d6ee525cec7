"""The command `stagegate`: every action by its name with a dash, and the words people type by hand.

`stagegate <command> --help` lists the flags of a command; they are the inputs of its action.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from stagegate.errors import VERDICTS
from stagegate.explain import Explanation, explain
from stagegate.runner import definitions, log
from stagegate.runner.boundary import HELP

# Words for people: an action with some of its flags given.
SHORT: Mapping[str, tuple[str, ...]] = {
    "check": ("chart-check",),
    "gate": ("staging-gate",),
    "import": ("init", "--import=true"),
    "plan": ("promote-pr", "--dry-run"),
    "promote": ("promote-pr",),
    "rollback": ("promote-pr", "--mode=rollback"),
    "status": ("status-report",),
}
# Inputs that may be written without their flags: `stagegate export promoter`, `stagegate rollback --local prod`.
_PLACE = ("--environment", "--version")
WORDS: Mapping[str, tuple[str, ...]] = {
    "export": ("--to",),
    "plan": _PLACE,
    "promote": _PLACE,
    "rollback": _PLACE,
}
_SWITCHES = ("--check", "--dry-run", "--fail-on-waiting", "--local", *HELP)
_GITHUB = re.compile(r"(?:^|[/@.])github\.com(?::\d+)?[:/]", re.IGNORECASE)  # the host in an address of Git
OWN = {
    "completion": "Prints a completion script: `stagegate completion bash|zsh|fish`.",
    "explain": "Explains a reason, rule, risk or check: `stagegate explain no-evidence`.",
}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code of a command line such as `["promote", "--environment", "prod"]`."""
    words = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in words
    words = [word for word in words if word != "--json"]
    if not words or words[0] in HELP:
        _print(msgspec.json.encode(commands()).decode() if as_json else _overview())
        return 0
    command = words[0].replace("_", "-")
    if command in OWN and any(word in HELP for word in words[1:]):
        _print(f"stagegate {command}\n\n{OWN[command]}")
        return 0
    if command == "completion":
        _print(_completion(words[1] if len(words) > 1 else "bash"))
        return 0
    if command == "explain":
        return explain(words[1:], _rules(), as_json=as_json)
    if command not in (known := _names()):
        near = difflib.get_close_matches(command, sorted(known), 1)
        hint = f"Did you mean {near[0]}?" if near else "`stagegate --help` lists the commands."
        log.annotate("error", f"stagegate has no command {command!r}. {hint}", title="stagegate: bad-input")
        return VERDICTS["bad-input"].exit_code
    action, *flags = SHORT.get(command, (command,))
    words = _named(command, words)
    if any(word in HELP for word in words[1:]):
        definition = definitions.read(action)
        _print(
            msgspec.json.encode(definition).decode() if as_json else definitions.usage(definition, command)
        )
        return 0
    return _run(action, [*flags, *words[1:]], as_json=as_json)


def _named(command: str, words: list[str]) -> list[str]:
    """The words, with flags for what people write without one: `rollback --local prod 1.2.3`."""
    named, left, rest = list[str](), list(WORDS.get(command, ())), words[1:]
    while rest:
        word = rest.pop(0)
        if not word.startswith("--") and left:
            named += [left.pop(0), word]
            continue
        named.append(word)
        is_switch = word in _SWITCHES and not (rest and rest[0] in ("true", "false"))
        if word.startswith("--") and "=" not in word and rest and not is_switch:
            named.append(rest.pop(0))
    return [words[0], *named]


def _names() -> set[str]:
    """Every command. Their sentences take long to read, and a command that runs needs none."""
    return {*definitions.names(), *definitions.by_hand(), *SHORT, *OWN}


def commands() -> dict[str, str]:
    """Every command with one sentence."""
    described = {
        name: definitions.read(name).description for name in (*definitions.names(), *definitions.by_hand())
    }
    short = {word: f"Short for `{' '.join(target)}`." for word, target in SHORT.items()}
    return dict(sorted({**described, **short, **OWN}.items()))


def _rules() -> dict[str, Explanation]:
    """Every rule of promotions and of charts, and every check of doctor, in words."""
    from stagegate.chart import rules as chart_rules  # with everything that a rule looks at
    from stagegate.policy import rules
    from stagegate.setup.doctor import registry

    promotion = {
        rule.name: Explanation(
            f"promotion rule, reason {rule.reason}",
            f"{rule.title}.",
            rule.cure.format(environment="the environment", before="the environments in `after`"),
        )
        for rule in rules.RULES.values()
    }
    charts = {
        rule.id: Explanation(f"chart rule, up to {rule.severity}", f"{rule.about}. {rule.why}", rule.fix)
        for rule in chart_rules.all_rules()
    }
    checks = {
        check.name: Explanation("check of doctor", f"{check.looks_at}.", check.cure)
        for check in registry.all_checks()
    }
    return {**checks, **charts, **promotion}


def _run(action: str, flags: Sequence[str], *, as_json: bool) -> int:
    """Run an action with flags. With `as_json` its report is all that standard output gets."""
    module = importlib.import_module(f"stagegate.actions.{action.replace('-', '_')}")
    saved = sys.argv
    sys.argv = [action, *flags]
    _name_repository()
    try:
        if not as_json:
            return int(module.run())
        with tempfile.TemporaryDirectory() as folder:
            os.environ["RUNNER_TEMP"] = folder  # the report goes there
            with contextlib.redirect_stdout(sys.stderr):
                code = int(module.run())
            own = sorted(Path(folder).glob("status.json"))  # a document of its own goes before the report
            for report in own or Path(folder).glob("stagegate-*.json"):
                _print(report.read_text(encoding="utf-8").rstrip())
        return code
    finally:
        sys.argv = saved


def _name_repository() -> None:
    """Outside a runner, the repository is that of the clone, where its origin is on github.com."""
    if os.environ.get("GITHUB_REPOSITORY") or os.environ.get("GITHUB_API_URL"):
        return
    from stagegate.clients import git

    origin = git.output(Path.cwd(), "remote", "get-url", "origin")
    if _GITHUB.search(origin) and (name := git.repository_of(origin)):
        os.environ["GITHUB_REPOSITORY"] = name


def _overview() -> str:
    width = max(map(len, commands()))
    rows = [f"  {name:<{width}}  {text}" for name, text in commands().items()]
    return "\n".join(
        [
            "stagegate <command> [flags]",
            "",
            "Takes a release from build to production with GitHub Actions and Argo CD.",
            "",
            *rows,
            "",
            "`stagegate <command> --help` lists the flags. `--json` prints the report as JSON.",
        ]
    )


def _completion(shell: str) -> str:
    """A completion script: commands first, then the flags of the command."""
    flags = {
        name: " ".join(f"--{flag}" for flag in definitions.read(SHORT.get(name, (name,))[0]).inputs)
        for name in commands()
        if name not in OWN
    }
    if shell == "fish":
        rows = [f"complete -c stagegate -n __fish_use_subcommand -a {name} -f" for name in commands()]
        for name, options in flags.items():
            rows += [
                f"complete -c stagegate -n '__fish_seen_subcommand_from {name}' -l {option[2:]}"
                for option in options.split()
            ]
        return "\n".join(rows)
    cases = "\n".join(f"    {name}) words='{options}' ;;" for name, options in flags.items())
    script = f"""_stagegate() {{
  local words='{" ".join(commands())}'
  [ "$COMP_CWORD" -gt 1 ] && case "${{COMP_WORDS[1]}}" in
{cases}
    *) words='' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _stagegate stagegate"""
    return f"autoload -U +X bashcompinit && bashcompinit\n{script}" if shell == "zsh" else script


def _print(text: str) -> None:
    print(log.redact(text))  # noqa: T201 the response of the command, not a line of a log
