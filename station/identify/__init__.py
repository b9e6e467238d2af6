"""Raw scan → what was scanned: AIM identifier, GS1, carrier numbers, our own codes; ranked candidates. No look-ups in SQL here."""
