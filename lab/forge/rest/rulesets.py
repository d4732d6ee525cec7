"""Rulesets and classic branch protection, as far as stagegate reads them."""

from __future__ import annotations

from lab.forge import shapes
from lab.forge.exchange import Answer, Ask
from lab.forge.permissions import allows
from lab.forge.refusal import not_found
from lab.forge.routing import Route
from lab.forge.rules import applying
from lab.forge.values import Body, Rules


def branch_rules(ask: Ask) -> Answer:
    """GET rules/branches/{branch}: every ruleset's rules, for anybody who may read; [] when there are none."""
    repo = ask.repository
    active = [
        ruleset for ruleset in applying(repo, f"refs/heads/{ask.param('branch')}") if not ruleset.classic
    ]
    return ask.page([rule for ruleset in active for rule in shapes.rule_list(repo, ruleset)])


def list_rulesets(ask: Ask) -> Answer:
    """GET rulesets."""
    return ask.page([_shape(ask, ruleset) for ruleset in ask.repository.rules if not ruleset.classic])


def get_ruleset(ask: Ask) -> Answer:
    """GET rulesets/{id}; the bypass list only for administrators."""
    for ruleset in ask.repository.rules:
        if ruleset.id == ask.number("id") and not ruleset.classic:
            return Answer(200, _shape(ask, ruleset) | _inside(ask, ruleset))
    raise not_found()


def _shape(ask: Ask, rules: Rules) -> Body:
    target = "tag" if rules.pattern.startswith("refs/tags/") else "branch"
    return {
        "id": rules.id, "name": rules.name, "target": target, "source_type": "Repository",
        "source": ask.repository.full_name, "enforcement": "active", "node_id": f"RRS_{rules.id}",
    }  # fmt: skip


def _inside(ask: Ask, ruleset: Rules) -> Body:
    named = ruleset.pattern if ruleset.pattern.startswith(("refs/", "~")) else f"refs/heads/{ruleset.pattern}"
    shown = shapes.rule_list(ask.repository, ruleset)
    rules = [{key: rule[key] for key in ("type", "parameters") if key in rule} for rule in shown]
    body: Body = {"conditions": {"ref_name": {"include": [named], "exclude": []}}, "rules": rules}
    if allows(ask.token, ask.repository, "administration=write"):
        apps = [app for app in ask.world.apps.values() if app.slug in ruleset.bypass]
        body["bypass_actors"] = [
            {"actor_id": app.id, "actor_type": "Integration", "bypass_mode": "always"} for app in apps
        ] + [
            {"actor_id": role, "actor_type": "RepositoryRole", "bypass_mode": "always"}
            for role in ruleset.bypass_roles
        ]
    return body


def get_protection(ask: Ask) -> Answer:
    """GET branches/{branch}/protection: classic only; GITHUB_TOKEN may not ask; 404 `Branch not protected`."""
    name = f"refs/heads/{ask.param('branch')}"
    if ask.repository.store.ref(name) is None:
        raise not_found("Branch not found")
    classic = [ruleset for ruleset in applying(ask.repository, name) if ruleset.classic]
    if not classic:
        raise not_found("Branch not protected")
    rules, at = classic[0], f"{ask.links.repo(ask.repository)}/branches/{ask.param('branch')}/protection"
    body: Body = {"url": at, "enforce_admins": {"url": f"{at}/enforce_admins", "enabled": True}}
    if rules.statuses:
        checks = [{"context": context, "app_id": app_id} for context, app_id in rules.statuses]
        contexts = [context for context, _ in rules.statuses]
        body["required_status_checks"] = {"strict": rules.strict, "contexts": contexts, "checks": checks}
    if rules.pull_request:
        body["required_pull_request_reviews"] = {
            "required_approving_review_count": rules.approvals, "dismiss_stale_reviews": rules.dismiss_stale,
        }  # fmt: skip
    return Answer(200, body)


AT = "/repos/{owner}/{repo}"
ROUTES = (
    Route("GET", AT + "/rules/branches/{branch*}", branch_rules, "metadata=read"),
    Route("GET", AT + "/rulesets", list_rulesets, "metadata=read"),
    Route("GET", AT + "/rulesets/{id}", get_ruleset, "metadata=read"),
    Route("GET", AT + "/branches/{branch*}/protection", get_protection, "administration=read"),
)
