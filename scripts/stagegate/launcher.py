"""The second half of `scripts/run`: find or build the locked environment, then run the entrypoint in it.

It runs before any library is there. No `from __future__` line and no new syntax: a Python too old for us must
be able to read it.
"""

import gc
import os
import sys

gc.disable()  # what is imported stays, and looking for cycles in it costs time; the entrypoint turns it on again

PYTHON = ["-I", "-S", "-u", "-X", "utf8"]  # as in scripts/run

if sys.version_info < (3, 10):  # noqa: UP036 - started by whatever python3 is there
    for _minor in range(20, 9, -1):
        for _folder in os.environ.get("PATH", "").split(os.pathsep):
            _newer = os.path.join(_folder, "python3.%d" % _minor)  # noqa: UP031
            if os.access(_newer, os.X_OK):
                os.execv(_newer, [_newer] + PYTHON + sys.argv)  # noqa: RUF005, S606
    print(
        "::error title=missing-tool::python3 on PATH is %d.%d. stagegate needs Python 3.10 or newer. "  # noqa: UP031
        "Install it in a step before this one (actions/setup-python does)." % sys.version_info[:2]
    )
    if os.environ.get("GITHUB_OUTPUT"):
        with open(os.environ["GITHUB_OUTPUT"], "a") as _file:
            _file.write("outcome=failed\nreason=missing-tool\nreport=\n")
    sys.exit(2)

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from stagegate.start import main  # noqa: E402

if __name__ == "__main__":
    main(sys.argv[1:])
