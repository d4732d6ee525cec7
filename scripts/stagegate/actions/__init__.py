"""One entrypoint for each action: its inputs and five calls, inputs, facts, plan, apply and report."""

import sys

from stagegate.patterns import compiled_later

if sys.version_info >= (3, 11) and "typing_extensions" not in sys.modules:
    # msgspec takes from typing_extensions, where it is installed, what typing has since Python 3.11. Loading it
    # takes longer than loading msgspec, so msgspec does not see it.
    sys.modules["typing_extensions"] = None  # type: ignore[assignment]
    try:
        with compiled_later():  # it loads `platform`, which has many
            import msgspec  # noqa: F401
    finally:
        del sys.modules["typing_extensions"]
