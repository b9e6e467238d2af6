"""Data only: protocols, policies, grading schemes, carriers, label templates, fonts, icons, demo data, locks."""
