"""One file per revision, named by its number. A released one is never edited."""
