import sys

from stagegate.actions.version_bump import run

sys.exit(run())
