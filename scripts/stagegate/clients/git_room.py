"""The repository in which history is read: missing commits are fetched into it, not into the checkout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from stagegate.clients import git
from stagegate.clients.process import Completed, ProgramFailed
from stagegate.patterns import pattern

NO_FILES = "--filter=blob:none"
NO_TREES = "--filter=tree:0"
ROOT_TREES = "--filter=tree:1"
_SECONDS = 900.0
_SHA256 = 64  # digits of a commit
# Connection settings of the checkout: the only ones the scratch repository takes over.
_CONNECTION = pattern(
    r"^(remote\.origin\.(?!promisor|partialclonefilter)|http\.|credential\.|url\.|core\.sshcommand)"
)


class Scratch(msgspec.Struct, frozen=True, kw_only=True):
    """A repository that history is read in; `env` reaches origin as the checkout does.

    `whole` is true where nothing can be missing: the checkout itself, which is never fetched into. `partial`:
    commits of the checkout may be here without their folders. `head` is the checked-out commit.
    """

    path: Path
    env: Mapping[str, str]
    head: str
    whole: bool = False
    partial: bool = False

    @property
    def shallow(self) -> bool:
        """Whether history is cut off somewhere."""
        borders = self.path / "shallow"
        return not self.whole and borders.is_file() and borders.stat().st_size > 0


@contextmanager
def scratch(
    checkout: Path, env: Mapping[str, str] | None = None, *, alone: bool = False
) -> Iterator[Scratch]:
    """A repository to read a checkout's history in. Stop(missing-file) outside a repository.

    It is a temporary one, unless nobody but the checkout is asked (`alone`) and the checkout has everything.
    """
    have = _have(checkout)
    if alone and not (have.shallow or have.partial):
        yield Scratch(path=checkout, env={}, head=have.head, whole=True)
        return
    import tempfile  # not for a plan from the clone alone

    with tempfile.TemporaryDirectory(prefix="stagegate-history-") as folder:
        path = Path(folder)
        for name in ("objects/info", "refs/heads"):
            (path / name).mkdir(parents=True)
        (path / "HEAD").write_text("ref: refs/heads/checkout\n")
        (path / "refs/heads/checkout").write_text(have.head + "\n")
        (path / "objects/info/alternates").write_text(f"{have.objects}\n")
        (path / "config").write_text(_plain(have.head))
        if have.borders.is_file():
            (path / "shallow").write_bytes(have.borders.read_bytes())
        reach = _connection(checkout, env or {})
        yield Scratch(path=path, env=reach, head=have.head, partial=have.partial)


class _Have(msgspec.Struct, frozen=True, kw_only=True):
    head: str
    shallow: bool
    partial: bool
    objects: Path
    borders: Path


def _have(checkout: Path) -> _Have:
    """The refs and commits of a checkout, read in one call."""
    words = (
        "--is-shallow-repository",
        "--git-path",
        "objects",
        "--git-path",
        "shallow",
        "--git-path",
        "config",
    )
    completed = git.git(checkout, "rev-parse", *words, "HEAD^{commit}", check=False)
    if completed.code:
        git.head(checkout)  # refuses with what git reports
    shallow, *names, head = completed.text.split("\n")[:5]
    objects, borders, config = ((checkout / name).resolve() for name in names)
    settings = config.read_text(errors="replace").lower()
    partial = "promisor" in settings or "partialclone" in settings
    return _Have(head=head, shallow=shallow == "true", partial=partial, objects=objects, borders=borders)


def has(room: Scratch, sha: str) -> bool:
    """Whether a commit is here."""
    return sha == room.head or not git.git(room.path, "cat-file", "-e", f"{sha}^{{commit}}", check=False).code


def missing(room: Scratch, oids: Iterable[str]) -> list[str]:
    """Those objects that are not here."""
    listed = "\n".join(oids).encode()
    checked = git.git(room.path, "cat-file", "--batch-check", input=listed).text.splitlines()
    return [line.split()[0] for line in checked if line.endswith(" missing")]


def fetch(
    room: Scratch, *words: str, input: bytes | None = None, lean: str = NO_FILES, negotiate: bool = False
) -> Completed:
    """One fetch without file contents; afterwards a missing object is missing, and never fetched on the side.

    Only to `negotiate` tells the server what is here. That can take more requests, and an object that is not here
    although a commit that holds it is would not be sent.
    """
    plain = () if negotiate else ("-c", "fetch.negotiationAlgorithm=noop")
    arguments = (*plain, *git.FETCH, "--no-write-fetch-head", lean, *words)
    try:
        return git.git(room.path, *arguments, env=room.env, input=input, check=False, timeout=_SECONDS)
    finally:
        (room.path / "config").write_text(_plain(room.head))


def _plain(head: str) -> str:
    """The settings of a scratch repository for commits like `head`; a fetch adds marks of partial clones."""
    if len(head) == _SHA256:
        return "[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n"
    return "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"


def demand(completed: Completed) -> None:
    """Stop(unreachable) unless a fetch ended well."""
    if completed.code:
        raise git.unreachable(ProgramFailed(completed))


def _connection(checkout: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Variables that reach origin as the checkout does, its own settings before those in `env`."""
    listed = git.git(checkout, "config", "--local", "--includes", "--list", "-z", check=False).text.split(
        "\0"
    )
    pairs = [tuple(entry.partition("\n")[::2]) for entry in listed if _CONNECTION.match(entry)]
    count = int(env.get("GIT_CONFIG_COUNT", "0"))
    pairs += [(env[f"GIT_CONFIG_KEY_{n}"], env[f"GIT_CONFIG_VALUE_{n}"]) for n in range(count)]
    numbered = {
        f"GIT_CONFIG_{kind}_{n}": text
        for n, pair in enumerate(pairs)
        for kind, text in zip(("KEY", "VALUE"), pair, strict=True)
    }
    return {**env, **numbered, "GIT_CONFIG_COUNT": str(len(pairs))}
