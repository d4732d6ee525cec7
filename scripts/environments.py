import sys

from stagegate.actions.environments import run

sys.exit(run())
