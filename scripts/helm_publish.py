import sys

from stagegate.actions.helm_publish import run

sys.exit(run())
