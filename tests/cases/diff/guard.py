"""A whole pin-guard run against the lab's forge: base is the default branch, target a pull request."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from lab.forge import Forge
from stagegate.actions import pin_guard
from stagegate.runner.boundary import entrypoint

RIGHTS = dict.fromkeys(("contents", "statuses", "deployments", "pull_requests", "issues", "actions"), "write")


@contextmanager
def forge(folder: Path) -> Iterator[Forge]:
    """A forge of its own."""
    with Forge(folder) as made:
        yield made


def link(repo: Any, branch: str, links: Mapping[str, str]) -> None:
    """Files of a branch become symbolic links, in a commit of their own that the other branch has too."""
    head = repo.head(branch)
    index = {"GIT_INDEX_FILE": str(repo.path / "index-of-links")}
    repo.store.git("read-tree", head, env=index)
    for path, target in links.items():
        blob = repo.store.line("hash-object", "-w", "--stdin", data=target.encode())
        repo.store.git("update-index", "--add", "--cacheinfo", f"120000,{blob},{path}", env=index)
    tree = repo.store.line("write-tree", env=index)
    who = {
        f"GIT_{role}_{what}": "octo@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    if branch == "main":
        above = repo.store.line("rev-list", "--parents", "-n1", head).split()[1:]
        parents = [argument for one in above for argument in ("-p", one)]
    else:
        parents = ["-p", repo.head("main")]
    new = repo.store.line("commit-tree", *parents, "-m", "links", tree, env=who)
    repo.store.git("update-ref", f"refs/heads/{branch}", new)


def run(
    made: Forge,
    repository: str,
    folder: Path,
    base: Mapping[str, bytes],
    target: Mapping[str, bytes],
    settings: str,
    links: Mapping[str, str] | None = None,
    later: Mapping[str, bytes] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What pin-guard reports of the pull request base -> target. `later`: the default branch moves on meanwhile.

    `inputs`: further variables of the action.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("report.json", "summary.md", "output"):
        (folder / name).unlink(missing_ok=True)
    repo: Any = made.repository(repository)
    for login, role in (("octo-dev", "write"), ("octo-lead", "admin")):
        made.collaborator(repository, login, role)
    commit = repo.seed({**base, "stagegate.yaml": settings}, "feat: base")
    repo.seed({"VERSION": "1.0.0\n"}, "feat: version")
    repo.store.git("update-ref", "refs/tags/v1.0.0", repo.head("main"))
    repo.store.git("update-ref", "refs/heads/change", repo.head("main"))
    gone = {path: None for path in base if path not in target}
    changed = {path: data for path, data in target.items() if base.get(path) != data}
    files = {**changed, **gone} if changed or gone else {"README.txt": "x\n"}
    repo.seed(files, "feat: change", "change")
    for branch in ("main", "change") if links else ():
        link(repo, branch, links or {})
    head = repo.head("change")
    if later:
        repo.seed(dict(later), "feat: later")
    number = _pull(made, repository)
    (folder / "event.json").write_text(json.dumps({"pull_request": {"number": number}}))
    environ = {**_environ(made, repository, folder), **(inputs or {})}
    started = time.monotonic()
    code = entrypoint("pin-guard", pin_guard.PinGuard, pin_guard.main, argv=[], environ=environ)
    seconds = time.monotonic() - started
    statuses = [one for one in repo.statuses if one.sha == head and one.context == "stagegate/pins"]
    return {
        "code": code,
        "seconds": seconds,
        "state": statuses[-1].state if statuses else "none",
        "description": statuses[-1].description if statuses else "",
        "summary": _text(folder / "summary.md"),
        "report": json.loads(_text(folder / "report.json") or "{}"),
        "comment": _comments(made, repository, number),
        "number": number,
        "head": head,
        "commit": commit,
    }


def _pull(made: Forge, repository: str) -> int:
    answer = requests.post(
        f"{made.url}/repos/{repository}/pulls",
        json={"title": "change", "head": "change", "base": "main", "body": ""},
        headers={"Authorization": f"Bearer {made.token('octo-dev')}"},
        timeout=20,
    )
    answer.raise_for_status()
    return int(answer.json()["number"])


def _comments(made: Forge, repository: str, number: int) -> str:
    answer = requests.get(
        f"{made.url}/repos/{repository}/issues/{number}/comments",
        headers={"Authorization": f"Bearer {made.token('octo-dev')}"},
        timeout=20,
    )
    answer.raise_for_status()
    return "\n".join(str(one["body"]) for one in answer.json())


def _environ(made: Forge, repository: str, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "GITHUB_WORKSPACE": str(folder),
        "GITHUB_REPOSITORY": repository,
        "GITHUB_ACTOR": "octo-lead",
        "GITHUB_RUN_ID": "77",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_API_URL": made.url,
        "GITHUB_GRAPHQL_URL": f"{made.url}/graphql",
        "GITHUB_OUTPUT": str(folder / "output"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "SG_TOKEN": made.token("", "actions", repositories=[repository], permissions=RIGHTS),
        "SG_REPORT": "report.json",
    }


def _text(file: Path) -> str:
    return file.read_text() if file.exists() else ""
