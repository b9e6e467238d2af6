"""Labels and the printer that prints them.

Decision: a label is composed here as a bitmap at the printer's own dots, bars at a whole number of dots per module, and
every symbol on that bitmap is read back before a byte is sent. The printer's built-in fonts and bar codes are not used:
what the preview shows is what is printed, on any make of printer. Price: some kilobytes per label instead of some
hundred bytes, and one more decoder among the dependencies.

python-barcode 0.16.1 drops a leading ``99`` from Code 128 (its issue #251). The gate catches it; the pattern then comes
from zxing-cpp's writer, and is read back just the same.
Source: DEVICES.md §5.
"""
