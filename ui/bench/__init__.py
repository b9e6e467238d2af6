"""The bench window: one frozen view in, commands out. It imports neither store, devices nor sync.

Decision: every panel is painted by hand and placed by arithmetic, not by layouts; buttons are one widget per command,
made once and moved. Context: scan → painted must take milliseconds while a live picture runs, and no text may be cut.
Price: painting code instead of a designer's file; a test walks all states, sizes and a +40 % language for cut texts.
"""
