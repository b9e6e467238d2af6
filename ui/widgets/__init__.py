"""Parts that screens are made of: painting aids, buttons, cards, the band, picture loading, sounds.

They are painted by hand rather than styled: a style-sheet change on a parent costs tens of milliseconds
(FLOOR §2.10), a label in a layout relays the page on every text, and the live picture must cost neither.
"""
