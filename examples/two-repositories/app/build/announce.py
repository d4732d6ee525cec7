#!/usr/bin/env python3
"""Tell the repository that holds the pins about a release: one repository_dispatch.

    GITOPS=acme/gitops GITOPS_TOKEN=... python3 build/announce.py shop 1.4.0 <commit>

The token belongs to that repository (`contents: write`), for example of a GitHub App that is installed there.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request

EVENT = "stagegate-release"
ATTEMPTS = 4
HELP = {
    401: "the token is wrong or has expired",
    403: "the token may not write contents there",
    404: "there is no such repository, or the token may not see it",
}


def announce(repository: str, token: str, payload: dict[str, str]) -> None:
    """Send the event, again where GitHub only had a bad moment; a second one changes nothing over there."""
    request = urllib.request.Request(
        f"{os.environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{repository}/dispatches",
        data=json.dumps({"event_type": EVENT, "client_payload": payload}).encode(),
        headers={"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"},
        method="POST",
    )
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with urllib.request.urlopen(request, timeout=30):
                return
        except urllib.error.HTTPError as error:
            why = HELP.get(error.code, str(error))
            if error.code < 500 or attempt == ATTEMPTS:
                raise SystemExit(f"::error::{repository} was not told: {why}") from error
        except OSError as error:
            if attempt == ATTEMPTS:
                raise SystemExit(f"::error::{repository} cannot be reached: {error}") from error
        time.sleep(2**attempt)


if __name__ == "__main__":
    if len(sys.argv) != 4 or not os.environ.get("GITOPS_TOKEN"):
        raise SystemExit("::error::give app, version and commit, and GITOPS_TOKEN (is the secret empty?)")
    app, version, commit = sys.argv[1:]
    announce(
        os.environ["GITOPS"], os.environ["GITOPS_TOKEN"], {"app": app, "version": version, "commit": commit}
    )
    print(f"{os.environ['GITOPS']} knows of {app} {version}")
