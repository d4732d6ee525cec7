import sys

from stagegate.cli import main

sys.exit(main(sys.argv[1:]))
