"""Whether an address is one of the usual spellings of a repository, so that it is not ambiguous. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_exact(address: str, repository: str) -> bool:
    """Whether `address` is `repository`, a `https://host/owner/name`, spelled as Git and GitHub spell it.

    With `.git` or a slash at its end, as `git@host:owner/name`, or with `ssh://git@host/`. Letter case does not
    matter. A user, password, port, query or scheme of another kind makes it another address: it may lead elsewhere.
    """
    place = urlsplit(repository)
    path, host = place.path.strip("/").lower(), (place.hostname or "").lower()
    spelled = address.strip().rstrip("/").lower().removesuffix(".git")
    forms = [
        f"{place.scheme}://{place.netloc}/{path}".lower(),
        f"git@{host}:{path}",
        f"ssh://git@{host}/{path}",
    ]
    if host == "github.com":
        forms.append(f"ssh://git@ssh.github.com:443/{path}")
    return spelled in forms
