"""What this machine reaches, each figure beside the physical limit measured in the same run.

One file per figure. A figure is a ratio first: absolute times on a shared machine say little. The limit of a figure is
what the same machine does with the bare minimum: a pseudo-terminal and a label, one fsync'd append, encode + write +
fsync + rename, an empty window, rows inserted in bulk.
"""
