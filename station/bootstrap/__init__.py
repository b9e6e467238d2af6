"""What happens before anything is installed: is this machine able to run the program, and if not, what makes it so.

Standard library only, and written so that an old Python can still read it and be told that it is too old. Nothing here
imports another room; ``station/__main__.py`` is the only user. Everything said goes to stderr: stdout belongs to the
command.

Decisions. *Shared libraries are found by loading them*: Qt's own message names the wrong one (FLOOR §2.4). *The
environment is built in place and stamped last*: it cannot be moved afterwards, and one without the right stamp is made
again. *Only a folder with our lock file in it is ever emptied*, so ``STATION_VENV`` cannot cost anybody their files.
*Children inherit the lock*: when a start is killed, its orphaned pip keeps the next waiting instead of both writing.
"""

import sys


class NotReady(Exception):
    """This machine cannot run the program yet; the text says what to do.

    Not an ``EnvironmentFault``, though it means the same: this room imports nothing that an old Python cannot read.
    """


def say(text: str) -> None:
    """Tell the person at the terminal what is going on."""
    sys.stderr.write(f"station: {text}\n")
    sys.stderr.flush()
