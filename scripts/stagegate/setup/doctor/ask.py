"""Reads every service that doctor has access to, and the reasons why others were not read."""

from __future__ import annotations

import msgspec

from stagegate.clients import hub
from stagegate.clients.hub import Hub
from stagegate.errors import Stop
from stagegate.model import Calls
from stagegate.runner.context import Context
from stagegate.setup.doctor import judged_charts, read, shared_policies
from stagegate.setup.doctor.facts import DoctorFacts
from stagegate.setup.work_tree import WorkTree

_OFFLINE = "doctor runs with `offline`."


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens and addresses of services; a service without them is not read."""

    token: str = ""
    registry_username: str = ""
    registry_password: str = ""
    argocd_server: str = ""
    argocd_token: str = ""
    argocd_headers: str = ""
    argocd_ca: str = ""
    offline: bool = False


def read_all(work_tree: WorkTree, config: str, access: Access, context: Context) -> tuple[DoctorFacts, Calls]:
    """The facts, and the number of requests to GitHub."""
    facts = read.local(work_tree, config, in_job=bool(context.run_id))
    github, why_not = _github(facts, access, context)
    facts = judged_charts.read(
        shared_policies.read(facts, github, why_not),
        context.workspace,
        username=access.registry_username,
        password=access.registry_password,
        offline=access.offline,
    )
    if access.offline:
        for need in ("github", "registry", "argocd"):
            facts = read.without(facts, need, _OFFLINE)
        return facts, Calls()
    facts = (
        read.without(facts, "github", why_not)
        if github is None
        else read.with_github(facts, github, access.token)
    )
    calls = Calls() if github is None else github.calls
    facts = read.with_registry(facts, access.registry_username, access.registry_password)
    if access.argocd_server and access.argocd_token:
        headers = tuple(line for line in access.argocd_headers.splitlines() if line.strip())
        connection = (access.argocd_server, access.argocd_token, headers, access.argocd_ca)
        return read.with_argocd(facts, connection), calls
    why = (
        "To read Argo CD, doctor needs argocd-server and argocd-token; a job has them from its GitHub "
        "Environment."
    )
    return read.without(facts, "argocd", why), calls


def _github(facts: DoctorFacts, access: Access, context: Context) -> tuple[Hub | None, str]:
    """The client for GitHub, or the reason why there is none."""
    if access.offline:
        return None, _OFFLINE
    repository = context.repository or facts.survey.repository
    if not access.token.strip():
        return None, 'To read GitHub, doctor needs a token: stagegate doctor --token "$(gh auth token)".'
    if not repository:
        return (
            None,
            "The address of the remote `origin` does not name a repository on GitHub: set "
            "GITHUB_REPOSITORY=owner/name.",
        )
    try:
        return hub.from_context(context, access.token, repository), ""
    except Stop as stop:
        return None, f"{stop.what} {stop.why}"
