"""The digest of everything in the pins repository that decides what an environment runs."""

from __future__ import annotations

from stagegate.clients.connections import Connections
from stagegate.difference.manifests.surroundings import NotRendered
from stagegate.difference.side import Side
from stagegate.errors import Stop
from stagegate.model import digest_of, to_json
from stagegate.pins import files as pin_files
from stagegate.pins.tree import PinsTree
from stagegate.promotion.app_state import AppState
from stagegate.runner import log
from stagegate.settings import Environment

_OUTAGES = 3  # the exit code of a Stop for what cannot be read now


def digest(connections: Connections, state: AppState, environment: Environment) -> str:
    """One digest for the environment's own documents and for the blobs of every file that they name: values files,
    charts, kustomizations and their bases. Empty where that is not known. Other environments' documents in the
    same file do not count."""
    files = PinsTree(contents=state.files, at=state.head)
    side = Side(connections, state.settings, state.base, environment, files)
    try:
        named, _ = side.named()
        entries = side.tree.entries
        documents = [root.document for root in side.roots() if root.document]
    except NotRendered as unknown:
        log.debug(f"the files that {environment.name} uses are unknown: {unknown}")
        return ""
    except Stop as stop:
        if stop.verdict.exit_code == _OUTAGES:
            raise
        log.debug(f"the files that {environment.name} uses are unknown: {stop.what}")
        return ""
    shown = {root.file for root in side.roots() if root.document}
    plain = set(pin_files.of((environment,))) - shown
    used = {path: entries[path].oid for path in entries if path in plain or named.holds(path)}
    return digest_of({"documents": sorted(digest_of(to_json(one)) for one in documents), "files": used})
