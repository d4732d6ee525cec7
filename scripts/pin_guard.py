import sys

from stagegate.actions.pin_guard import run

sys.exit(run())
