"""Reads the facts of doctor from the work tree, and from GitHub, registries and Argo CD if possible."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec
import semver

from stagegate import settings as settings_file
from stagegate.argocd_app.tree import Tree
from stagegate.clients.hub import Hub
from stagegate.clients.registry import Registry
from stagegate.errors import Stop
from stagegate.gate import facts as gate_facts
from stagegate.model import is_prerelease
from stagegate.pins import files as pin_files
from stagegate.promotion import apps
from stagegate.settings import Settings, seconds, shared_policy
from stagegate.settings.shared_policy import Shared
from stagegate.setup import survey as surveying
from stagegate.setup.doctor import github_environments
from stagegate.setup.doctor.facts import (
    ConfiguredApp,
    DoctorFacts,
    HubFacts,
    LiveApplication,
    RegistryRepository,
)
from stagegate.setup.work_tree import WorkTree

TOOLS = ("git", "helm", "kustomize", "kubectl")
_WRITE = 4  # GitHub's id of the repository role `write`
_TOKENS = {
    "ghp_": "a classic personal access token",
    "github_pat_": "a fine-grained personal access token",
    "gho_": "an OAuth token (gh auth login)",
    "ghu_": "a user token of a GitHub App",
    "ghs_": "an installation token of a GitHub App",
}


def local(work_tree: WorkTree, config: str, *, in_job: bool = False) -> DoctorFacts:
    """The facts of the work tree. `config` is a path or glob; if no file matches, every stagegate.yaml is read."""
    survey = surveying.read(
        work_tree.tree, repository=work_tree.repository, branch=work_tree.branch, tags=work_tree.tags
    )
    names = apps.matching(work_tree.tree.entries, config) if apps.is_glob(config) else (config,)
    names = tuple(name for name in names if name in work_tree.tree.entries)
    names = names or tuple(
        sorted(path for path in work_tree.tree.entries if Path(path).name == "stagegate.yaml")
    )
    return DoctorFacts(
        survey=survey,
        tree=work_tree.tree,
        apps=tuple(_app(work_tree.tree, name) for name in names),
        tools={name: shutil.which(name) or "" for name in TOOLS},
        in_job=in_job,
    )


def _app(tree: Tree, config: str) -> ConfiguredApp:
    try:
        content = tree.file(config) or b""
        settings = settings_file.parse(content, config)
        if shared_policy.address(settings.extends)[0]:
            return ConfiguredApp(config=config, unread=settings.extends)
        if settings.extends:
            settings = shared_policy.extended(content, config, _shared(tree, settings.extends))
        expanded = pin_files.expanded(settings, tree.entries, config, content)
        return ConfiguredApp(config=config, settings=expanded)
    except Stop as stop:
        return ConfiguredApp(config=config, trouble=f"{stop.what} {stop.why}", line=stop.line or 0)


def _shared(tree: Tree, file: str) -> Shared:
    content = tree.file(file)
    if content is None:
        raise Stop(
            "missing-file", f"There is no {file}.", "The key `extends` names this file.", "Correct the path."
        )
    return Shared(place=file, content=content, blob="")


def with_github(facts: DoctorFacts, hub: Hub, token: str) -> DoctorFacts:
    """The same facts with what GitHub says. One that cannot be reached is a reason, no Stop."""
    try:
        return msgspec.structs.replace(facts, hub=_hub(facts, hub, token))
    except Stop as stop:
        return _with_reason(facts, "github", f"{stop.what} {stop.why} {stop.next}")


def _hub(facts: DoctorFacts, hub: Hub, token: str) -> HubFacts:
    settings = hub.settings()
    environments = hub.environments()
    names = {environment.name for environment in environments or ()}
    held = ["", *(name for name in github_environments.wanted(facts) if name in names)]
    rules = hub.branch_rules(settings.default_branch)
    classic = hub.branch_protection(settings.default_branch)
    rulesets = {rule.ruleset for rule in rules or () if rule.ruleset}
    slug = next((s.trust.app for _, s in facts.valid if s.trust.level == "protected"), "")
    viewer = hub.viewer()
    kind = next((text for start, text in _TOKENS.items() if token.startswith(start)), "a token")
    return HubFacts(
        repository=hub.repository,
        login=viewer.login,
        is_actions_token=hub.is_actions_token(),
        token_kind="GITHUB_TOKEN" if hub.is_actions_token() else kind,
        settings=settings,
        environments=environments,
        variables={name: hub.variables(name) for name in held},
        secrets={name: hub.secrets(name) for name in held},
        now=hub.now(),
        workflow_token=hub.workflow_token(),
        workflows=hub.workflows(),
        rules=None if rules is None else (*rules, *(classic or ())),
        reads_protection=classic is not None,
        unbound=frozenset(
            environment for environment in rulesets if _WRITE in hub.bypassing_roles(environment)
        ),
        app_account=hub.account(f"{slug}[bot]") is not None if slug else None,
        release_times={settings.app: _release_times(settings, hub) for settings in _soaking(facts)},
    )


def _soaking(facts: DoctorFacts) -> Iterator[Settings]:
    """Apps of this repository with a soak in an environment."""
    for _, settings in facts.valid:
        if not settings.source and any(seconds(place.soak) for place in settings.environments):
            yield settings


def _release_times(settings: Settings, hub: Hub) -> tuple[str, ...]:
    prefix = settings.version.tag_prefix
    versions = {tag.name.removeprefix(prefix): tag.at for tag in hub.release_tags(prefix)}
    return tuple(
        at
        for version, at in versions.items()
        if semver.Version.is_valid(version) and not is_prerelease(version)
    )


def with_registry(facts: DoctorFacts, username: str, password: str) -> DoctorFacts:
    """The same facts with what each registry says about reading and, for what is built here, pushing."""
    repositories: dict[str, RegistryRepository] = {}
    for _, settings in facts.valid:
        registry = Registry(
            settings.registry_hosts, username=username, password=password, timeout=(5.0, 20.0)
        )
        for name in settings.images:
            repositories.setdefault(name, _image(registry, name, push=not settings.source))
        if settings.own_chart is not None:
            chart = settings.chart_reference.removeprefix("oci://")
            repositories.setdefault(chart, _image(registry, chart, push=not settings.source))
    return msgspec.structs.replace(facts, registry=tuple(repositories.values()))


def _image(registry: Registry, name: str, *, push: bool) -> RegistryRepository:
    try:
        tags = registry.tags(name)
    except Stop as stop:
        unreachable = stop.reason in ("unreachable", "rate-limited", "server-error", "timeout")
        return RegistryRepository(
            name=name, trouble=f"{stop.what} {stop.why}", cure=stop.next, unreachable=unreachable
        )
    if push:
        try:
            registry.demand_push(name)
        except Stop as stop:
            return RegistryRepository(
                name=name, tags=tags, push_trouble=f"{stop.what} {stop.why}", cure=stop.next
            )
    return RegistryRepository(name=name, tags=tags)


def with_argocd(facts: DoctorFacts, connection: tuple[str, str, tuple[str, ...], str]) -> DoctorFacts:
    """The same facts with every Application as Argo CD has it.

    `connection`: address, token, further headers and certificate.
    """
    return msgspec.structs.replace(facts, argocd=tuple(_applications(facts, connection)))


def _applications(
    facts: DoctorFacts, connection: tuple[str, str, tuple[str, ...], str]
) -> Iterator[LiveApplication]:
    for _, settings, environment in facts.places:
        for name in environment.argo.applications if environment.argo.source == "api" else ():
            application = LiveApplication(name=name, environment=environment.name, app=settings.app)
            try:
                document = gate_facts.argocd(environment, *connection).application(name)
            except Stop as stop:
                yield msgspec.structs.replace(application, trouble=f"{stop.what} {stop.why}", cure=stop.next)
                if stop.reason in ("unreachable", "bad-input", "empty-secret", "token-expired"):
                    return  # others would fail in the same way
                continue
            yield msgspec.structs.replace(application, document=document)


def without(facts: DoctorFacts, need: str, why: str) -> DoctorFacts:
    """The same facts, with the reason why somebody was not asked."""
    return _with_reason(facts, need, why)


def _with_reason(facts: DoctorFacts, need: str, why: str) -> DoctorFacts:
    return msgspec.structs.replace(facts, unread_services={**facts.unread_services, need: why})
