import sys

from stagegate.actions.image_tags import run

sys.exit(run())
