import sys

from stagegate.actions.record import run

sys.exit(run())
