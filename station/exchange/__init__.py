"""Files in and out.

*In*: returns and catalogue from CSV files as merchants really send them. Reading is pure: a file in, an iterator of
records and refused lines out, nothing is written here. A file is gone through twice: the survey finds out what only the
whole column can say (day or month first) and which returns are scattered over the file; the second pass reads. Memory
depends on neither's length.

*Out*: the journal as EPCIS 2.0 (``epcis``), as CSV (``csv_export``), and the evidence of one unit (``dossier``,
``dossier_page``, ``dossier_verify``); as lines of JSON it is written by ``station.journal.lines``.
Writing is pure too: entries in, pieces of bytes out; the same journal gives the same bytes.
"""
