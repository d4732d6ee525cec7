import sys

from stagegate.actions.publish_release import run

sys.exit(run())
