import sys

from stagegate.actions.chart_check import run

sys.exit(run())
