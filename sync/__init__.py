"""Bench ↔ centre. ``protocol`` is read by both ends; ``client`` and ``server`` meet nowhere else."""
