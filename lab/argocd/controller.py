"""The stand-in as a whole: follow the pins repository, run what it says, serve what Argo CD would."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from lab.argocd import gitread, shapes
from lab.argocd.access import Tokens
from lab.argocd.api import Api
from lab.argocd.application import Surroundings
from lab.argocd.certificate import server_context
from lab.argocd.charts import CannotRender, Charts
from lab.argocd.cluster import Cluster
from lab.argocd.faults import Fault, Faults
from lab.argocd.front import Front
from lab.argocd.images import Image, fetch
from lab.argocd.manifests import applications
from lab.argocd.oci import Registries, parse_reference
from lab.argocd.reconcile import Reconciler
from lab.argocd.resolve import Sources
from lab.argocd.server import Server
from lab.argocd.store import Store
from lab.argocd.workloads import served

Json = dict[str, Any]


class ArgoCD:
    """Argo CD and a cluster on this machine. Use as a context manager; every process ends with it.

    root: a folder of its own. repository: bare Git repository; `branch` holds Applications under `manifests`.
    registry_rewrite, git_rewrite: the addresses manifests name -> those of this machine.
    interval: seconds between two looks at Git. refresh_deadline: longest wait of a `refresh=` nobody answers.
    progress_deadline: longest time in seconds a pod may need, whatever the chart says.
    secrets: "namespace/name" -> data of Secrets that are not in Git.
    tls: serve https with a certificate of `ca`, the file of an authority nobody else knows.
    error_grace: seconds for which an error of a repository is shown only to those who ask for a refresh.
    retry_pause: seconds before the first of the retries of a failed sync; each further pause is twice as long.
    version: that of Argo CD. Before 2.13.8, 2.14.8, 3.0.23 and 3.1 an annotated tag is shown by its own id.
    image_id: which digest pods report, "index" (containerd) or "platform".
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
    ) -> None:
        root.mkdir(parents=True, exist_ok=True)
        for folder in ("git", "images", "run"):
            (root / folder).mkdir(exist_ok=True)
        self._repository, self._branch, self._manifests, self._interval = (
            repository,
            branch,
            manifests,
            interval,
        )
        self.secrets: dict[str, dict[str, str]] = {k: dict(v) for k, v in (secrets or {}).items()}
        self.problems: list[str] = []
        self.faults, self._tokens = Faults(), Tokens()
        self._images = root / "images"
        self._ran: dict[tuple[str, str], Image] = {}
        self._registries = Registries(registry_rewrite or {}, registry_auth)
        charts = Charts(helm, self._registries, root, registry_rewrite or {}, registry_auth)
        repositories = {url: Path(path) for url, path in (git_rewrite or {}).items()}
        repositories.setdefault(str(repository), repository)
        self._sources = Sources(
            charts,
            self._registries,
            repositories,
            registry_rewrite or {},
            root / "git",
            gitread.peels_tags(version),
        )
        self._store = Store(lambda document: shapes.shaped(document, self.faults, version.startswith("2.")))
        self._cluster = Cluster(root / "run", self._fetch, self._nudge, progress_deadline, image_id)
        self._paused, self._stop, self._wake = threading.Event(), threading.Event(), threading.Event()
        self._around = Surroundings(
            self._store, self._cluster, self._sources, self.faults, lambda: self.secrets, self._problem,
            self._paused, interval, not version.startswith("2."), error_grace, retry_pause,
        )  # fmt: skip
        self._reconcilers: dict[str, Reconciler] = {}
        self._fronts: dict[str, Front] = {}
        self._followed: dict[str, Json] = {}
        self._head: str | None = None
        self._lock = threading.RLock()
        api = Api(
            self._store,
            self.faults,
            self._tokens,
            self._cluster,
            self._sources,
            self._reconcilers,
            version,
            refresh_deadline,
        )
        self.token = self._tokens.add("admin", None, None)
        self.ca: Path | None = None
        context = None
        if tls:
            context, self.ca = server_context(root / "tls")
        self._server = Server(api, port, context)
        self.url = self._server.url
        self._follow()
        self._thread = threading.Thread(target=self._run, name="app-of-apps", daemon=True)
        self._thread.start()

    # for tests and the lab

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
        """The first document that is good; TimeoutError with what was last seen after `timeout` seconds."""
        found = self._store.wait(name, good, timeout)
        if found is None:
            raise TimeoutError(
                f"{name}: not within {timeout:g} s; last seen {self._words(name)}; problems {self.problems}"
            )
        return found

    def _words(self, name: str) -> str:
        status = (self._store.get(name) or {}).get("status") or {}
        kept = {
            key: status.get(key) for key in ("sync", "health", "operationState", "conditions", "resources")
        }
        pods = [state for _, _, states in self._cluster.states(name) for state in states]
        return f"{kept} {pods}"

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
            self._publish_again(name)
        return fault

    def clear(self, name: str | None = None, kind: str | None = None) -> None:
        """End faults: of one application, of one kind, or all."""
        self.faults.clear(name, kind)
        self._nudge(name or "*")

    def stop_reconcile(self) -> None:
        """Nothing is read from Git and nothing compared until `resume`; pods live on."""
        self._paused.set()

    def resume(self) -> None:
        self._paused.clear()
        self.poke()

    def poke(self) -> None:
        """Look at Git at once and compare every application."""
        self._follow()
        for reconciler in list(self._reconcilers.values()):
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
        self._stop.set()
        self._wake.set()
        self._thread.join(10)
        self._store.close()
        self._server.close()
        for front in self._fronts.values():
            front.close()
        for reconciler in list(self._reconcilers.values()):
            reconciler.close()
        self._cluster.close()

    # following Git

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._interval)
            self._wake.clear()
            if not self._stop.is_set() and not self._paused.is_set():
                self._follow()

    def _follow(self) -> None:
        """What an app-of-apps with pruning does: create, change and remove Applications as Git says."""
        with self._lock:
            head = gitread.head(self._repository, self._branch)
            if head is not None and head != self._head:
                try:
                    self._followed = applications(self._repository, head, self._manifests)
                    self._head = head
                except (CannotRender, gitread.NoSuchRevision) as error:
                    self._problem(f"{head}: {error}")
            for name, manifest in self._followed.items():
                held = self._reconcilers.get(name)
                if held is None:
                    self._reconcilers[name] = Reconciler(name, manifest, self._around)
                elif not self.faults.find(name, "parent-stale"):
                    held.accept(manifest)
            for name in set(self._reconcilers) - set(self._followed):
                self._reconcilers[name].close()
                self._store.remove(name)
                self._cluster.apply(name, (), dict)
                del self._reconcilers[name]

    def _problem(self, text: str) -> None:
        if text not in self.problems:
            self.problems.append(text)

    def _nudge(self, name: str) -> None:
        for each, reconciler in list(self._reconcilers.items()):
            if name in ("*", each):
                reconciler.nudge()

    def _publish_again(self, name: str) -> None:
        for each, reconciler in list(self._reconcilers.items()):
            if name in ("*", each):
                reconciler.app.publish()

    # views of the world

    def _fetch(self, application: str, reference: str) -> Image:
        """An image for a pod; the fault `wrong-image` gives it other content under the same name."""
        parsed = parse_reference(reference)
        fault = self.faults.find(application, "wrong-image")
        before = self._ran.get((application, parsed.repository))
        if fault and fault.options.get("digest"):
            return fetch(self._registries, f"{parsed.repository}@{fault.options['digest']}", self._images)
        if fault and before is not None:
            return before
        image = fetch(self._registries, reference, self._images)
        self._ran[application, parsed.repository] = image
        return image

    @contextmanager
    def _backend(self, name: str) -> Iterator[int | None]:
        reconciler = self._reconcilers.get(name)
        key = served(reconciler.app.live, reconciler.app.namespace) if reconciler else None
        with self._cluster.backend(name, key) as port:
            yield port
