import sys

from stagegate.actions.status_report import run

sys.exit(run())
