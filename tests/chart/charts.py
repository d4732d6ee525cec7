"""Charts for tests, written into a folder."""

from __future__ import annotations

from pathlib import Path

from stagegate.chart import source
from stagegate.chart.source import ChartSource
from stagegate.evidence.release_record import Record

RECORD = Record(commit="c0ffee" * 6 + "c0ff", images={"ghcr.io/acme/shop": "sha256:" + "5" * 64})

CHART = """\
# Two versions that move together.
apiVersion: v2
name: shop
version: 1.2.3   # the release
appVersion: "1.2.3"
description: A shop — with ünicode
"""

CONFIGMAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  greeting: {{ .Values.greeting | quote }}
"""


def write(folder: Path, files: dict[str, str | bytes] | None = None, *, chart: str = CHART) -> ChartSource:
    """A chart called shop in `folder/shop`, with extra files (a value of "" removes a default one)."""
    root = folder / "shop"
    wanted: dict[str, str | bytes] = {
        "Chart.yaml": chart,
        "values.yaml": "greeting: hello\n",
        "templates/configmap.yaml": CONFIGMAP,
        **(files or {}),
    }
    for path, content in wanted.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return source.read(root, "charts/shop")
