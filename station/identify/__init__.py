"""Raw scan → what was scanned: AIM identifier, GS1, carrier numbers, our own codes; ranked candidates.

Pure: no clock, no SQL, no device. ``interpret.interpret`` is the one door; ``match.match_item`` compares what it said
with the lines of a return. Carriers are data (``resources/carriers``), the site's own codes are data (``profile``).

Decision: GS1 data is read only where the symbol says that it is GS1 (AIM identifier, FNC1, parentheses, Digital Link).
Context: biip reads a mistyped EAN-13 as "customer order number", measured. Price: a scanner without AIM identifiers
gets only the GTIN out of a GS1 code that begins with ``01``, not its serial number; sites switch AIM on.
"""
