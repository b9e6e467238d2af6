"""The demo: everything of one bench on one machine with nothing attached, and the *same* app in the middle.

``goods`` and ``shift`` say what comes back and what is true about it; ``stage`` starts the simulators and the server
as processes of their own; ``robot`` is the inspector who only sees the screen and only touches scanner, scale and mat;
``verdict`` compares what was recorded with what was true and writes ``summary.json``.
"""
