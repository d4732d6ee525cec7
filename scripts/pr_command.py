import sys

from stagegate.actions.pr_command import run

sys.exit(run())
