"""A registry with a tiny app in several versions, a chart, and a pins repository that Argo CD's stand-in follows."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

# Not of http.server: importing that takes three times as long as all else, and tests start many pods.
APP = r"""
import os, socket, sys, threading, time
version = open("VERSION").read().strip()
if version.endswith("-crash"):
    sys.exit(3)
time.sleep(float(os.environ.get("SLOW_START", "0")))
def answer(connection):
    with connection, connection.makefile("rb") as request:
        words = request.readline().split()
        while request.readline().strip():
            pass
        if len(words) < 2:
            return
        path = words[1].decode()
        if path.startswith("/slow"):
            time.sleep(1)
        body = (os.environ.get("GREETING", "-") if path == "/greeting" else version).encode()
        connection.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
while True:
    threading.Thread(target=answer, args=[server.accept()[0]], daemon=True).start()
"""

DEPLOYMENT = """
{{- if not .Values.nothing }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
spec:
  replicas: 1
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers:
        - name: app
          image: "{{ .Values.image }}:{{ .Values.tag | default (printf "v%s" .Chart.AppVersion) }}"
          env:
            - {name: GREETING, value: {{ .Values.greeting | quote }}}
            {{- with .Values.slow }}
            - {name: SLOW_START, value: {{ . | quote }}}
            {{- end }}
            {{- with .Values.secret }}
            - {name: PASSWORD, valueFrom: {secretKeyRef: {name: {{ . }}, key: password}}}
            {{- end }}
          readinessProbe: {httpGet: {path: /health, port: 8080}}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{port: 80, targetPort: 8080}]
---
apiVersion: v1
kind: Secret
metadata:
  name: {{ .Release.Name }}-own
stringData: {password: {{ .Values.own | quote }}}
{{- if .Values.extra }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-extra}
{{- end }}
{{- end }}
"""

APPLICATION = """
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
  labels: {{app: shop, stage: {name}}}
spec:
  project: default
  destination: {{server: "https://kubernetes.default.svc", namespace: {name}}}
  source:
    repoURL: ghcr.io/acme/charts
    chart: shop
    targetRevision: "{version}"
    helm:
      releaseName: shop
      values: |
        greeting: "{greeting}"
  syncPolicy: {{automated: {{prune: true, selfHeal: true}}}}
"""


def run(*argv: str, cwd: Path) -> str:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for role in ("AUTHOR", "COMMITTER"):
        env |= {f"GIT_{role}_NAME": "octo-dev", f"GIT_{role}_EMAIL": "octo-dev@example.com"}
    return subprocess.run(argv, cwd=cwd, check=True, capture_output=True, text=True, env=env).stdout.strip()


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass
class World:
    """The things that a test changes: images and charts in the registry, files in the pins repository."""

    root: Path
    host: str

    @property
    def bare(self) -> Path:
        return self.root / "pins.git"

    @property
    def work(self) -> Path:
        return self.root / "work"

    def begin(self) -> World:
        run("git", "init", "-q", "--bare", "-b", "main", str(self.bare), cwd=self.root)
        run("git", "clone", "-q", str(self.bare), str(self.work), cwd=self.root)
        run("git", "checkout", "-q", "-B", "main", cwd=self.work)
        return self

    def push(self, files: dict[str, str | None], message: str = "Move pins") -> str:
        """Commit files (None deletes) and push; the new head."""
        for name, text in files.items():
            path = self.work / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        run("git", "add", "-A", cwd=self.work)
        run("git", "commit", "-q", "-m", message, cwd=self.work)
        run("git", "push", "-q", "origin", "main", cwd=self.work)
        return run("git", "rev-parse", "HEAD", cwd=self.work)

    def tag(self, name: str) -> tuple[str, str]:
        """Put an annotated tag on the head and push it; the commit and the id of the tag."""
        run("git", "tag", "-a", "-m", name, name, cwd=self.work)
        run("git", "push", "-q", "origin", name, cwd=self.work)
        commit, tag = run("git", "rev-parse", f"{name}^{{commit}}", name, cwd=self.work).split()
        return commit, tag

    def pin(self, name: str, version: str, greeting: str = "hello") -> str:
        text = APPLICATION.format(name=name, version=version, greeting=greeting)
        return self.push({f"deploy/argocd/{name}.yaml": text})

    def blob(self, repository: str, content: bytes) -> dict[str, Any]:
        digest = digest_of(content)
        begun = requests.post(f"http://{self.host}/v2/{repository}/blobs/uploads/", timeout=5)
        where = begun.headers["Location"]
        mark = "&" if "?" in where else "?"
        requests.put(f"{where}{mark}digest={digest}", data=content, timeout=5).raise_for_status()
        return {"digest": digest, "size": len(content)}

    def manifest(self, repository: str, revision: str, document: dict[str, Any]) -> str:
        content = json.dumps(document).encode()
        requests.put(
            f"http://{self.host}/v2/{repository}/manifests/{revision}",
            data=content, headers={"Content-Type": document["mediaType"]}, timeout=5,
        ).raise_for_status()  # fmt: skip
        return digest_of(content)

    def image(self, tag: str, version: str, repository: str = "acme/shop") -> str:
        """Push an index with one platform image whose service reports `version`; the index's digest."""
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as archive:
            for name, text in {"app/server.py": APP, "app/VERSION": version}.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                archive.addfile(info, io.BytesIO(text.encode()))
        kind = "application/vnd.oci.image."
        config = json.dumps(
            {
                "architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []},
                "config": {"Entrypoint": ["python3", "server.py"], "WorkingDir": "/app", "Env": ["PATH=/nowhere"]},
            }
        ).encode()  # fmt: skip
        document = {
            "schemaVersion": 2, "mediaType": kind + "manifest.v1+json",
            "config": {"mediaType": kind + "config.v1+json", **self.blob(repository, config)},
            "layers": [
                {"mediaType": kind + "layer.v1.tar+gzip", **self.blob(repository, gzip.compress(layer.getvalue(), mtime=0))}
            ],
        }  # fmt: skip
        digest = digest_of(json.dumps(document).encode())
        self.manifest(repository, digest, document)
        children = [
            {
                "mediaType": kind + "manifest.v1+json", "digest": digest, "size": len(json.dumps(document)),
                "platform": {"os": "linux", "architecture": arch},
            }
            for arch in ("amd64", "arm64")
        ]  # fmt: skip
        index = {"schemaVersion": 2, "mediaType": kind + "index.v1+json", "manifests": children}
        return self.manifest(repository, tag, index)

    def chart(self, version: str, values: str = "") -> None:
        """Package and push the chart by real helm."""
        folder = self.root / f"chart-{version}" / "shop"
        (folder / "templates").mkdir(parents=True, exist_ok=True)
        (folder / "Chart.yaml").write_text(
            f"apiVersion: v2\nname: shop\nversion: {version}\nappVersion: {version}\n"
        )
        (folder / "values.yaml").write_text(f"image: ghcr.io/acme/shop\ngreeting: hi\nown: hush\n{values}\n")
        (folder / "templates" / "all.yaml").write_text(DEPLOYMENT)
        run("helm", "package", str(folder), "-d", str(folder.parent), cwd=self.root)
        archive = folder.parent / f"shop-{version}.tgz"
        run("helm", "push", str(archive), f"oci://{self.host}/acme/charts", cwd=self.root)

    def release(self, version: str, values: str = "", answers: str | None = None) -> str:
        """Image and chart of one version; the image's digest."""
        digest = self.image(f"v{version}", answers or version)
        self.chart(version, values)
        return digest
