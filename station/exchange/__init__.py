"""Files in and out. Here: returns and catalogue from CSV files as merchants really send them.

Reading is pure: a file in, an iterator of records and refused lines out, nothing is written here. A file is gone
through twice: the survey finds out what only the whole column can say (day or month first) and which returns are
scattered over the file; the second pass reads. Memory depends on neither's length.
"""
