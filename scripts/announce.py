import sys

from stagegate.actions.announce import run

sys.exit(run())
