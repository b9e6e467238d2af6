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

Decision: our own search for places instead of ``cv2.barcode.BarcodeDetector().detect`` of the dossier (§3). Context:
that one finds bars only, and takes 10 ms of a 1080p picture; ours takes 15, finds bars and matrices at each size, and
tells combs and vents from bars, so that five places are read where twenty-four look striped.

What is tried is bounded by number and never by a clock: the same picture always gives the same answer.

Measured with zxing-cpp 3.1.1 (the same formats), OpenCV 5.0, zbar 0.23.92 on one busy core, CPU time (reads / wrong
reads / mean time of one picture; six samples without a plain text to compare with are left out of the wrong ones; some
of pyzbar's are another character set):

========================================================  =================  =================  =================
pictures                                                  ours               zxing-cpp alone    pyzbar
========================================================  =================  =================  =================
500 drawn scenes of 1–2 MP, 795 codes at all tilts,       552 / 0 / 78 ms    287 / 7 / 61 ms    246 / 5 / 122 ms
1.5–4 px per module, half of them blurred, faint, noisy
360 scenes of ``station benchmark`` (720 codes)           498 / 0            229 / 11
781 samples of zxing-cpp, as they are (0.25 MP)           706 / 2 / 6.6 ms   709 / 4 / 2.7 ms   469 / 24 / 3.8 ms
the same turned by 15°                                    656 / 1 / 9.6 ms   547 / 3 / 4.1 ms   383 / 19 / 5.6 ms
… by 30°                                                  642 / 0 / 10 ms    466 / 0 / 4.5 ms   313 / 11 / 5.9 ms
… by 45°                                                  606 / 2 / 9.7 ms   242 / 1 / 4.3 ms   294 / 11 / 5.4 ms
60 scenes, 46 samples without a code                      0 wrong            0 wrong            0 wrong
========================================================  =================  =================  =================

So the time is 1.3 times zxing-cpp's in pictures of a camera, up to 2.4 times in pictures of a quarter of a megapixel
(4 ms more). A 12 MP photo takes as long as zxing-cpp alone.

Not yet checked on hardware: all photos were drawn, or are zxing-cpp's samples.
"""
