"""Barcodes in pictures: photos that were taken, and the middle of the live picture.

What must not live here: cameras and frames' transport (``devices/camera``), what a text means (``station/identify``).

Passes of ``read.read_image``, each over what the ones before left open:

1. *whole*: zxing-cpp over the picture as it is. Linear codes read here are only heard, not yet believed.
2. ``texture``: where bars or a matrix may be and how they lie, at any tilt, on copies three times smaller each.
3. *strip*: bars laid upright and read along the reading direction; it confirms or refutes what was heard.
4. *restored*: all rows averaged, so that the blur can be taken back; reads 1.5 pixels per module.
5. *patch*: a matrix laid upright, enlarged and sharpened. PDF417 and light-on-dark codes of large pictures are read
   only here.

Decision: a text of a weakly protected code (EAN, UPC, ITF, Code 39) counts only when two readings agree and none
contradicts; ITF, UPC-E and EAN-8 only when one of the two ran along the bars, because a row that leaves a tilted longer
code looks like one of them (zxing-cpp issue 255). Price: a few upright codes that are so blurred that only zxing-cpp's
own rows read them are lost; half of what it misread there is refused.

Decision: our own search for places instead of ``cv2.barcode.BarcodeDetector().detect`` of the dossier (§3). Context: it
finds retail codes of its own size only and no matrices, and takes 10 ms of 1080p; ours takes 13, finds both kinds at
each size, and tells combs and vents from bars, so that three places are read where twenty-four look striped.

What is tried is bounded by number and never by a clock: the same picture always gives the same answer.

Measured with zxing-cpp 3.1.1, OpenCV 5.0, zbar 0.23.92, one core, CPU time (2026-11):

=====================================================  ===============  ===============  ===============
pictures                                               ours             zxing-cpp alone  pyzbar
=====================================================  ===============  ===============  ===============
500 synthetic 1–2 MP scenes, 795 codes, all tilts,     MEASURED
1.5–4 px/module, half of them blurred, noisy, faint
zxing-cpp's samples as they are (781, 0.25 MP)
the same turned by 15°, 30°, 45°, 60°
60 scenes and 46 samples without any code
=====================================================  ===============  ===============  ===============

Not yet checked on hardware: all photos were drawn, or are zxing-cpp's samples.
"""
