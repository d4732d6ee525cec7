"""`make demo`: one release from a commit to production, a broken one that stops, and the way back, on this machine.

Every row of the closing table is a claim checked against the forge, the registry or the running process. The pages
that people see are written into a folder.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lab import act, pages
from lab.act import ActRun
from lab.demo import road
from lab.demo.story import Broken, Story
from lab.lab import Lab
from lab.pages import Pages
from lab.progress import Progress, step_of
from lab.servers import ENVIRONMENTS, SHOP


def main() -> int:
    """Run the demo; 0 only if every claim held. `KEEP=1` leaves the lab up until Ctrl-C or an hour later."""
    began = time.monotonic()
    shown = Pages()
    temporary = tempfile.TemporaryDirectory(prefix="stagegate-demo-")
    runs = Path(temporary.name) / "runs"
    # The folder is removed while progress is still reported: that takes long on a busy disk.
    with Progress(lambda: step_of(runs)) as progress, temporary as folder:
        progress.say("starting the lab")
        with Lab(Path(folder), progress.say) as lab:
            progress.say("recording the running release, as on the first day")
            lab.adopt()
            ready, story = time.monotonic(), Story(progress.print, shown)
            try:
                road.tell(lab, story)
            except Broken:
                _show_failures(lab.runs, progress.print)
            good = bool(story.rows) and all(row.held for row in story.rows)
            index = shown.write_index("What the demo did", story.table())
            seconds = f"({time.monotonic() - ready:.0f} s after {ready - began:.0f} s of set-up"
            progress.print(f"\n{story.table()}\n")
            progress.print(
                f"{'every claim is true' if good else 'a claim is not true'} {seconds}, "
                f"with a line of progress at least every {progress.longest:.1f} s)"
            )
            progress.print(f"all pages that people would see: {index}")
            if os.environ.get("KEEP"):
                progress.rest()
                _keep(lab, shown, progress.print)
    return 0 if good else 1


def _show_failures(runs: list[ActRun], show: Callable[[str], None]) -> None:
    """The errors of every failed run, for the person who investigates."""
    for run in runs:
        if run.code:
            show(f"\n{run.workflow} (run {run.id}) ended with {run.code}; its log:")
            for line in act.failures(run.text.splitlines())[-12:] or run.text.splitlines()[-5:]:
                show(f"    {line}")


def _keep(lab: Lab, shown: Pages, show: Callable[[str], None]) -> None:
    """Leave the lab up, and print addresses that a browser opens."""

    def applications() -> str:
        return pages.argocd_view([lab.argocd.application(name) for name in ENVIRONMENTS.values()])

    with shown.served(applications) as url:
        show("\nthe lab stays up for an hour, or until Ctrl-C; open in a browser:")
        show(f"  everything    {url}/index.html")
        show(f"  pull request  {url}/pull-request.html")
        show(f"  status page   {url}/status.html")
        show(f"  Argo CD       {url}/argocd")
        for environment, application in ENVIRONMENTS.items():
            show(f"  {environment:<12}  {lab.argocd.front(application)}/health")
        show(
            f"for programs: the API of GitHub for {SHOP} at {lab.forge.url}, the registry at {lab.registry.url},"
        )
        show(f"Argo CD's API at {lab.argocd.url}; logs of the runs in {lab.root / 'runs'}")
        try:
            time.sleep(3600)
        except KeyboardInterrupt:
            show("")


if __name__ == "__main__":
    sys.exit(main())
