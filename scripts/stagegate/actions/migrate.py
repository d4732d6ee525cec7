"""migrate: compares a kustomization with the chart that will replace it."""

from __future__ import annotations

from stagegate.errors import Stop
from stagegate.model import Result
from stagegate.promotion import apps
from stagegate.runner.boundary import entrypoint
from stagegate.runner.context import Context
from stagegate.runner.inputs import Inputs
from stagegate.setup import work_tree
from stagegate.setup.migration import report, to_helm
from stagegate.setup.migration.to_helm import HelmMove


class Migrate(Inputs, frozen=True, kw_only=True):
    """Inputs of migrate."""

    kustomization: str
    chart: str
    values: tuple[str, ...] = ()
    release: str = ""
    namespace: str = "default"


def main(inputs: Migrate, context: Context) -> Result:
    """Inputs -> facts -> plan -> report; nothing is written."""
    move = HelmMove(**{name: getattr(inputs, name) for name in HelmMove.__struct_fields__})
    for name in (move.kustomization, move.chart, *move.values):
        context.inside(name, what="path")
    tree = work_tree.read(context.workspace, context.repository)
    return report.result(
        move, to_helm.comparison(move, tree.tree, context.workspace, _options(inputs, context))
    )


def _options(inputs: Migrate, context: Context) -> tuple[str, ...]:
    """The build options in the settings; none where there are no settings yet."""
    try:
        here = apps.here(context, inputs.config)
    except Stop:
        return ()
    return tuple(dict.fromkeys(option for app in here for option in app.settings.render.kustomize_options))


def run() -> int:
    """The exit code of this command."""
    return entrypoint("migrate", Migrate, main)
