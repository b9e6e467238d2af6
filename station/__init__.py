"""The inspection itself, in plain Python: no Qt, no serial, no cv2, no HTTP.

Data flows one way through these rooms: bytes → scan → candidates → draft → inspection → journal entry → server.
``identify`` says what a scan means, ``returns`` holds what was promised to whom, ``inspection`` is the flow at the
bench, ``decision`` the grade, gates, disposition and refund, ``journal`` the record, ``store`` the only place with
SQL, ``exchange`` the files that come in and go out, ``review`` what needs a second look.

This file stays empty of imports: ``station/__main__.py`` runs on the standard library alone, before anything is
installed.
"""

__version__ = "0.1.0"
