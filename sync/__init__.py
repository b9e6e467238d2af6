"""Bench ↔ centre. ``protocol.py`` is read by both ends; ``client`` and ``server`` meet nowhere else."""
