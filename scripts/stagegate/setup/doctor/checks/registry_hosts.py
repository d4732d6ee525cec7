"""registry-hosts: the names of registries in the settings are spelled correctly."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.settings import Settings
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts

_KNOWN = (
    "ghcr.io",
    "docker.io",
    "quay.io",
    "gcr.io",
    "registry.gitlab.com",
    "public.ecr.aws",
    "registry.k8s.io",
    "mcr.microsoft.com",
)
_NEAR = 0.72  # of difflib: one letter too many, missing, changed or swapped in a short name


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for hosts similar to a well-known one, and for images without a host."""
    for config, settings in facts.valid:
        for host in sorted(settings.registry_hosts):
            near = difflib.get_close_matches(host, _KNOWN, 1, _NEAR)
            if host not in _KNOWN and near and _is_short(host, near[0]):
                yield finding(
                    "warning",
                    f"The registry {host} looks like a misspelt {near[0]}.",
                    f"stagegate reads and pushes the images and charts of {settings.app} at this registry.",
                    f"If you mean {near[0]}, correct the name in {config}.",
                    file=config,
                )
        yield from _impossible(settings, config)
        yield from _without_host(settings, config)


def _impossible(settings: Settings, config: str) -> Iterator[Finding]:
    """Findings for names that no registry accepts."""
    for address in (*settings.images, settings.chart_reference.removeprefix("oci://")):
        scheme, separator, plain = address.rpartition("://")
        if address and (separator or plain != plain.lower()):
            right = plain.lower()
            yield finding(
                "error",
                f"{address} cannot be the name of an image or chart.",
                f"A name has no {scheme}://." if separator else "Registries refuse capital letters in names.",
                f"Write {right} in {config}, and build it under this name.",
                file=config,
            )


def _is_short(host: str, well_known: str) -> bool:
    """Whether both have the same number of parts: registry.ghcr.io and eu.gcr.io are separate hosts."""
    return host.count(".") == well_known.count(".") and abs(len(host) - len(well_known)) < 3


def _without_host(settings: Settings, config: str) -> Iterator[Finding]:
    chart = settings.chart_reference.removeprefix("oci://").partition("/")[0]
    for image in settings.images:
        first = image.partition("/")[0]
        if chart not in ("", "docker.io") and not {".", ":"} & set(first) and first != "localhost":
            yield finding(
                "warning",
                f"The image {image} has no registry in its name, so it means docker.io/{image}.",
                f"But the chart of {settings.app} is in {chart}.",
                f"Write the registry before the image in {config}, for example {chart}/{image}.",
                file=config,
            )


CHECK = DoctorCheck(
    name="registry-hosts",
    looks_at="The hosts of `images` and `chart.repository`: mistyped or missing ones",
    cure="Write the right host name of the registry.",
    check=check,
)
