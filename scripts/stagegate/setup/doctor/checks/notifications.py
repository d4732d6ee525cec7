"""notifications: the templates of `notify` can be sent."""

from __future__ import annotations

from collections.abc import Iterator

from stagegate.model import Finding
from stagegate.settings.notify import template_line, template_mistake
from stagegate.setup.doctor.check import DoctorCheck, finding
from stagegate.setup.doctor.facts import DoctorFacts


def check(facts: DoctorFacts) -> Iterator[Finding]:
    """Findings for mistakes in templates, each once, by file and line."""
    for config, settings in facts.valid:
        for channel in settings.notify.channels:
            mistake = template_mistake(channel.template) if channel.template else ""
            if not mistake:
                continue
            lines = {
                file: template_line(facts.tree.file(file) or b"", channel)
                for file in (config, settings.extends)
                if file and "//" not in file
            }
            file, line = next(((file, line) for file, line in lines.items() if line), (config, 0))
            yield finding(
                "error",
                f"The template of {channel.key} cannot be sent.",
                f"{mistake} So the channel gets no message.",
                "Correct `template`; docs/notifications.md lists the placeholders.",
                file=file,
                line=line,
            )


CHECK = DoctorCheck(
    name="notifications",
    looks_at="The templates of `notify`: their JSON, placeholders and size",
    cure="Correct the template.",
    check=check,
)
