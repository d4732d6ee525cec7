import sys

from stagegate.actions.staging_gate import run

sys.exit(run())
