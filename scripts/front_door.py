import sys

from stagegate.actions.front_door import run

sys.exit(run())
