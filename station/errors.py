"""The four kinds of error, and who answers for each.

::

    StationError
    ├── InvalidInput       bad label, bad number, bad file, bad config   the field turns red; logged at INFO
    ├── OperatorError      possible, but not now                         banner in plain words; INFO
    ├── EnvironmentFault   cable, disk, network                          banner and retry; WARNING
    │   ├── DeviceFault
    │   ├── SyncFault
    │   └── StoreFault
    └── Defect             our bug                                       calm screen, traceback; CRITICAL

A message quotes the input with ``!r``, says what was expected, what came, and what to do next. Nothing returns
``None``, ``0`` or ``""`` for a failure.
"""


class StationError(Exception):
    """Base of everything this program raises on purpose."""

    exit_code = 1
    """Exit code of a command that ends with this error (DESIGN: 1 = the answer is no, 2 = usage, 3 = environment)."""


class InvalidInput(StationError):
    """Something given to us is wrong: a label, a number, a file, a configuration key."""

    exit_code = 2


class OperatorError(StationError):
    """A possible action that is not possible now; the text says what to do instead."""


class IllegalTransition(OperatorError):
    """The workflow table has no row for this event at this step; nothing was changed."""


class EnvironmentFault(StationError):
    """The world outside the program failed; it may work again later."""

    exit_code = 3


class DeviceFault(EnvironmentFault):
    """A device does not answer, answers wrongly or is gone."""


class SyncFault(EnvironmentFault):
    """The network or the server failed; nothing unsent is lost."""


class StoreFault(EnvironmentFault):
    """The disk or the database failed; nothing that was confirmed is lost."""


class Defect(StationError):
    """A bug of ours."""

    exit_code = 70
