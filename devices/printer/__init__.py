"""Labels and the printers that print them.

Decision: a label is composed here as a bitmap at the printer's own dots, bars at a whole number of dots per module, and
every symbol on that bitmap is read back before a byte is sent. The printer's built-in fonts and bar codes are not used:
what the preview shows is what is printed, on any make of printer. Price: some kilobytes per label instead of some
hundred bytes, and one more decoder among the dependencies.

python-barcode 0.16.1 drops a leading ``99`` from Code 128 (its issue #251). The gate catches it; the pattern then comes
from zxing-cpp's writer, and is read back just the same.

``model.py`` says what every printer can do (``LabelPrinter``), ``line.py`` carries the bytes over TCP or serial, one
file a language puts them together (``zpl_printer.py``, ``escpos.py``; the system's spooler is in ``ui/printing``),
``printer.py`` makes what a bench is configured for, ``loop.py`` owns it. A label is sent once: after a break we say
that it may have been printed, and a person asks for the copy.
Source: DEVICES.md §5.
"""
