"""``python -m ui.cli``: what ``station/__main__.py`` hands over to."""

import sys

from ui.cli import main

if __name__ == "__main__":
    sys.exit(main())
