import sys

from stagegate.actions.doctor import run

sys.exit(run())
