"""The camera over the bench: watches itself, judges the picture, photographs when the item lies still.

Decision: two threads per camera. The *reader* (``source.py``) does nothing but open, read and release a
``cv2.VideoCapture``, because each of these calls can block for seconds on a dead device; the *owner* (``camera.py``)
takes the newest frame, judges it, encodes and emits, and replaces a reader that hangs. Price: a daemon thread may
outlive its camera until its last call returns; beside three such threads no further one is started.

Where things are: ``enumerate.py`` which cameras there are, ``opening.py`` a source becomes an open capture,
``frame.py`` one picture, ``watch.py`` whether it lives, ``eye.py`` what it leads to, ``quality.py``, ``stillness.py``
and ``shot.py`` when it is photographed, ``controls.py`` and ``lock.py`` exposure, focus and white balance,
``appearance.py`` what they make of the bench, ``encode.py``, ``exif.py`` and ``jpeg.py`` the file, ``fingerprint.py``
whether it was used before.

OpenCV reads its switches from the environment once, when its libraries load. They are set here, before any module of
this room can import cv2; a value that IT has already set wins. cv2 itself is imported on the camera's threads only, so
that importing this package costs the start-up nothing.
Source: DEVICES.md §4.2 and §4.3; opencv/opencv modules/videoio/src/cap_v4l.cpp, cap_msmf.cpp, cap_ffmpeg_impl.hpp.
"""

from __future__ import annotations

import os

ENVIRONMENT = {
    # Media Foundation's hardware transforms make opening take 4 to 20 s (opencv#17687, #26495).
    "OPENCV_VIDEOIO_MSMF_ENABLE_HW_TRANSFORMS": "0",
    # A camera that hangs is noticed after 2 s instead of 10.
    "OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT": "2",
    # First frame of an HTTP stream after 0.1 s, and no frames queued inside FFmpeg. Whoever sets these options loses
    # OpenCV's own "RTSP over TCP first" (cap_ffmpeg_impl.hpp, open), so it is said again: UDP loses parts of pictures.
    "OPENCV_FFMPEG_CAPTURE_OPTIONS": (
        "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|probesize;32768|analyzeduration;0"
    ),
    # What goes wrong is told by LightChanged, in words; FFmpeg's own lines would only fill stderr.
    "OPENCV_FFMPEG_LOGLEVEL": "-8",
    "OPENCV_LOG_LEVEL": "SILENT",
}

for _name, _value in ENVIRONMENT.items():
    os.environ.setdefault(_name, _value)
