"""A forge with a shop in it for the forge's tests, and calls as a client makes them."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from lab.forge import Event, Forge, Repo

WORKFLOW = """\
on:
  workflow_dispatch:
    inputs:
      version: {required: true}
      colour: {type: choice, options: [red, blue], default: red}
"""
FILES = {
    "VERSION": "1.0.0\n",
    "deploy/prod.yaml": "version: 1.0.0\n",
    ".github/workflows/promote.yml": WORKFLOW,
}
COMMIT = "mutation C($i: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $i) { commit { oid } } }"
UPDATE = "mutation U($i: UpdateRefsInput!) { updateRefs(input: $i) { clientMutationId } }"


@dataclass(frozen=True)
class Kit:
    """A running forge with `acme/shop`, and one token of each kind."""

    forge: Forge
    shop: Repo
    folder: Path
    dev: str
    lead: str
    admin: str
    reader: str

    def actions(self, **permissions: str) -> str:
        """A GITHUB_TOKEN of the shop with these permissions."""
        return self.forge.token("octo-dev", "actions", ["acme/shop"], permissions)

    def rest(
        self, method: str, path: str, token: str = "", json: object = None, **headers: str
    ) -> requests.Response:
        """One REST call in the shop (a path that begins with / is taken as it is)."""
        address = self.forge.url + (path if path.startswith("/") else f"/repos/acme/shop/{path}".rstrip("/"))
        more_headers = {name.replace("_", "-"): value for name, value in headers.items()}
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.request(method, address, json=json, headers=more_headers | authorization, timeout=20)

    def graphql(self, query: str, token: str, **variables: object) -> dict[str, object]:
        """One GraphQL call; the whole answer."""
        response = requests.post(
            f"{self.forge.url}/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"bearer {token}"},
            timeout=20,
        )
        body = response.json()
        assert isinstance(body, dict)
        return body

    def ask(self, inside: str, token: str = "") -> dict[str, object]:
        """Fields of the shop by GraphQL; the answer must be without errors."""
        body = self.graphql(
            f'{{ repository(owner: "acme", name: "shop") {{ {inside} }} }}', token or self.dev
        )
        assert "errors" not in body, body
        return dig(body, "data", "repository")

    def commit(
        self,
        branch: str,
        token: str,
        files: Mapping[str, str | None],
        head: str = "",
        headline: str = "Change",
    ) -> dict[str, object]:
        """createCommitOnBranch; the whole answer."""
        additions = [
            {"path": path, "contents": base64.b64encode(text.encode()).decode()}
            for path, text in files.items()
            if text is not None
        ]
        request = {
            "branch": {"repositoryNameWithOwner": "acme/shop", "branchName": branch},
            "expectedHeadOid": head or self.shop.head(branch),
            "message": {"headline": headline},
            "fileChanges": {
                "additions": additions,
                "deletions": [{"path": path} for path, text in files.items() if text is None],
            },
        }
        return self.graphql(COMMIT, token, i=request)

    def branch(self, name: str, files: Mapping[str, str | None] | None = None) -> str:
        """A branch from main with one commit of octo-dev on it; its head."""
        response = self.rest(
            "POST", "git/refs", self.dev, {"ref": f"refs/heads/{name}", "sha": self.shop.head("main")}
        )
        assert response.status_code == 201, response.text
        body = self.commit(name, self.dev, files or {f"{name}.txt": name})
        assert "errors" not in body, body
        return self.shop.head(name)

    def pull(self, name: str, files: Mapping[str, str | None] | None = None, token: str = "") -> int:
        """A pull request from a new branch to main; its number."""
        self.branch(name, files)
        response = self.rest(
            "POST", "pulls", token or self.dev, {"title": name, "head": name, "base": "main"}
        )
        assert response.status_code == 201, response.text
        return int(response.json()["number"])

    def approve(self, number: int) -> int:
        """octo-lead approves; the review's id."""
        response = self.rest("POST", f"pulls/{number}/reviews", self.lead, {"event": "APPROVE"})
        assert response.status_code == 200, response.text
        return int(response.json()["id"])

    def fresh(self) -> list[tuple[str, str | None, bool]]:
        """Events since the last call: name, action, swallowed."""
        return [(event.name, event.action, event.swallowed) for event in self.forge.drain_events()]

    def events(self, name: str) -> list[Event]:
        """All events of a name."""
        return [event for event in self.forge.events if event.name == name]

    def git(self, *argv: str, token: str = "", where: str = "clone") -> subprocess.CompletedProcess[str]:
        """git, in a clone below the test's folder, with a token in the header as actions/checkout does it."""
        env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
        env |= {
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C",
        }
        for role in ("AUTHOR", "COMMITTER"):
            env |= {f"GIT_{role}_NAME": "octo-dev", f"GIT_{role}_EMAIL": "octo-dev@users.noreply.github.com"}
        header = base64.b64encode(f"x-access-token:{token}".encode()).decode()
        extra = ["-c", f"http.extraheader=Authorization: basic {header}"] if token else []
        folder = self.folder / where
        folder.mkdir(exist_ok=True)
        return subprocess.run(
            ["git", *extra, *argv],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def clone(self, token: str = "") -> None:
        """Clone the shop into `clone`."""
        done = self.git("clone", "-q", f"{self.forge.url}/acme/shop", ".", token=token)
        assert done.returncode == 0, done.stderr

    def change(self, path: str, text: str, message: str = "Change") -> None:
        """Commit a change in the clone."""
        target = self.folder / "clone" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        for argv in (("add", "-A"), ("commit", "-qm", message)):
            assert self.git(*argv).returncode == 0


def dig(value: object, *keys: str | int) -> dict[str, object]:
    """The object at a path of keys inside JSON."""
    for key in keys:
        if isinstance(value, list) and isinstance(key, int):
            value = value[key]
        else:
            assert isinstance(value, dict), value
            value = value[key]
    assert isinstance(value, dict), value
    return value


def error(body: Mapping[str, object]) -> dict[str, object]:
    """The only error of a GraphQL answer."""
    errors = body["errors"]
    assert isinstance(errors, list) and len(errors) == 1, body
    first = errors[0]
    assert isinstance(first, dict)
    return first


def make_kit(forge: Forge, folder: Path) -> Kit:
    """The shop at 1.0.0 and its people."""
    shop = forge.repository("acme/shop")
    shop.seed(dict(FILES))
    for login, role in (("octo-dev", "write"), ("octo-lead", "maintain"), ("octo-admin", "admin")):
        forge.collaborator("acme/shop", login, role)
    tokens = {login: forge.token(login) for login in ("octo-dev", "octo-lead", "octo-admin", "octo-reader")}
    return Kit(forge, shop, folder, *tokens.values())
