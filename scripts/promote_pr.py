import sys

from stagegate.actions.promote_pr import run

sys.exit(run())
