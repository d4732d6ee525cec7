"""The fake Argo CD as a whole: it follows the pins repository, runs its Applications, and serves Argo CD's API."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from lab.argocd import documents, gitread, shapes
from lab.argocd.access import Tokens
from lab.argocd.api import Api
from lab.argocd.app_of_apps import AppOfApps
from lab.argocd.application import Surroundings
from lab.argocd.certificate import server_context
from lab.argocd.charts import Charts
from lab.argocd.cluster import Cluster
from lab.argocd.faults import Fault, Faults
from lab.argocd.front import Front
from lab.argocd.images import PodImages
from lab.argocd.oci import Registries
from lab.argocd.resolve import Sources
from lab.argocd.server import Server
from lab.argocd.store import Store
from lab.argocd.workloads import served

Json = dict[str, Any]


class ArgoCD:
    """Argo CD and a cluster on this machine. Use as a context manager; every process ends with it.

    root: a folder of its own. repository: bare Git repository; `branch` holds Applications under `manifests`.
    registry_rewrite, git_rewrite: the addresses manifests name -> those of this machine.
    interval: seconds between two reads of Git. refresh_deadline: longest wait of a `refresh=` without a response.
    progress_deadline: longest time in seconds a pod may need, whatever the chart says.
    secrets: "namespace/name" -> data of Secrets that are not in Git.
    tls: serve https with a certificate of `ca`, the file of a private authority.
    error_grace: seconds for which an error of a repository is shown only after a refresh.
    retry_pause: seconds before the first of the retries of a failed sync; each further pause is twice as long.
    version: that of Argo CD. Before 2.13.8, 2.14.8, 3.0.23 and 3.1 an annotated tag is shown by its own id.
    image_id: which digest pods report, "index" (containerd) or "platform".
    clusters: `name`, `server` and `labels` of registered clusters; what is deployed there runs here, too.
    """

    def __init__(
        self,
        root: Path,
        repository: Path,
        branch: str = "main",
        manifests: str = "deploy/argocd",
        registry_rewrite: Mapping[str, str] | None = None,
        git_rewrite: Mapping[str, str | os.PathLike[str]] | None = None,
        helm: str = "helm",
        registry_auth: tuple[str, str] | None = None,
        interval: float = 0.3,
        secrets: Mapping[str, Mapping[str, str]] | None = None,
        version: str = "3.1.0",
        progress_deadline: float = 20.0,
        refresh_deadline: float = 60.0,
        image_id: str = "index",
        error_grace: float = 180.0,
        retry_pause: float = 0.2,
        port: int = 0,
        tls: bool = False,
        clusters: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for folder in ("git", "images", "run"):
            (root / folder).mkdir(exist_ok=True)
        self.secrets: dict[str, dict[str, str]] = {k: dict(v) for k, v in (secrets or {}).items()}
        self.problems: list[str] = []
        self.faults, self._tokens = Faults(), Tokens()
        registries = Registries(registry_rewrite or {}, registry_auth)
        charts = Charts(helm, registries, root, registry_rewrite or {}, registry_auth)
        repositories = {url: Path(path) for url, path in (git_rewrite or {}).items()}
        repositories.setdefault(str(repository), repository)
        sources = Sources(
            charts,
            registries,
            repositories,
            registry_rewrite or {},
            root / "git",
            gitread.peels_tags(version),
        )
        self._store = Store(lambda document: shapes.shaped(document, self.faults, version.startswith("2.")))
        self._cluster = Cluster(
            root / "run",
            PodImages(registries, root / "images", self.faults).fetch,
            self._nudge,
            progress_deadline,
            image_id,
        )
        self._paused = threading.Event()
        known_clusters = [
            documents.CLUSTER,
            *(documents.cluster(one["name"], one["server"], one.get("labels") or {}) for one in clusters),
        ]
        around = Surroundings(
            self._store, self._cluster, sources, self.faults, lambda: self.secrets, self._problem,
            self._paused, interval, not version.startswith("2."), error_grace, retry_pause, known_clusters,
        )  # fmt: skip
        self._parent = AppOfApps(repository, branch, manifests, around)
        self._fronts: dict[str, Front] = {}
        self._lock = threading.RLock()
        api = Api(
            self._store,
            self.faults,
            self._tokens,
            self._cluster,
            sources,
            self._parent.reconcilers,
            version,
            refresh_deadline,
            known_clusters,
        )
        self.token = self._tokens.add("admin", None, None)
        self.ca: Path | None = None
        context = None
        if tls:
            context, self.ca = server_context(root / "tls")
        self._server = Server(api, port, context)
        self.url = self._server.url
        self._parent.start()

    def __enter__(self) -> ArgoCD:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add_token(
        self, name: str, applications: Sequence[str] | None = None, expires: float | None = None
    ) -> str:
        """A token that may `get` these (`name`, `project/name`; None: all), for `expires` seconds."""
        return self._tokens.add(name, applications, expires)

    def front(self, name: str) -> str:
        """Stable base URL of the application's Service: the ready process answers, 503 while none is."""
        with self._lock:
            if name not in self._fronts:
                self._fronts[name] = Front(lambda: self._backend(name))
            return self._fronts[name].url

    def application(self, name: str) -> Json:
        """The document served now; LookupError when there is none."""
        document = self._store.get(name)
        if document is None:
            raise LookupError(
                f"no application {name!r}; there are: {', '.join(self._store.names()) or 'none'}"
            )
        return document

    def wait(self, good: Callable[[Json], bool], name: str, timeout: float = 30.0) -> Json:
        """The first document that passes the check; TimeoutError with the last one after `timeout` seconds."""
        document = self._store.wait(name, good, timeout)
        if document is None:
            raise TimeoutError(
                f"{name}: not within {timeout:g} s; last seen {self._words(name)}; problems {self.problems}"
            )
        return document

    def _words(self, name: str) -> str:
        status = (self._store.get(name) or {}).get("status") or {}
        flags = {
            key: status.get(key) for key in ("sync", "health", "operationState", "conditions", "resources")
        }
        pods = [state for _, _, states in self._cluster.states(name) for state in states]
        return f"{flags} {pods}"

    def fault(
        self,
        name: str,
        kind: str,
        *,
        seconds: float | None = None,
        times: int | None = None,
        **options: object,
    ) -> Fault:
        """Put a fault of `KINDS` on an application (`*`: all) until `seconds`, `times` or `release()`."""
        fault = self.faults.add(name, kind, seconds, times, options)
        self._nudge(name)
        if kind in shapes.KINDS:
            for reconciler in self._parent.named(name):
                reconciler.app.publish()
        return fault

    def clear(self, name: str | None = None, kind: str | None = None) -> None:
        """End faults: of one application, of one kind, or all."""
        self.faults.clear(name, kind)
        self._nudge(name or "*")

    def stop_reconcile(self) -> None:
        """Stop reading Git and comparing until `resume`; pods keep running."""
        self._paused.set()

    def resume(self) -> None:
        self._paused.clear()
        self.poke()

    def poke(self) -> None:
        """Read Git at once and compare every application."""
        self._parent.follow()
        for reconciler in self._parent.named("*"):
            reconciler.refresh("normal")

    @contextmanager
    def paused(self) -> Iterator[None]:
        self.stop_reconcile()
        try:
            yield
        finally:
            self.resume()

    @property
    def login_requests(self) -> list[Mapping[str, str]]:
        """Headers (lower case) of every request that reached the other host's login page."""
        return self._server.login.requests

    @property
    def calls(self) -> list[str]:
        """Every request the API got, as `GET /path`."""
        return self._server.calls

    def close(self) -> None:
        self._parent.stop()
        self._store.close()
        self._server.close()
        for front in self._fronts.values():
            front.close()
        self._parent.close()
        self._cluster.close()

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)

    def _nudge(self, name: str) -> None:
        self._parent.nudge(name)

    @contextmanager
    def _backend(self, name: str) -> Iterator[int | None]:
        reconciler = self._parent.reconcilers.get(name)
        key = served(reconciler.app.live, reconciler.app.namespace) if reconciler else None
        with self._cluster.backend(name, key) as port:
            yield port
