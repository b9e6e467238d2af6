"""Training: recorded items at the same desk and in the same window, with feedback after each; never real goods.

``item`` is a recorded item (shipped ones under ``resources/training``, others from dossiers), ``desk`` plays them: it
puts each on the bench, gives the recorded weight and photos, and says after the last answer what was agreed and why.
``feedback`` compares and reports.

Decisions
- *Another home, not a flag.* Training has its own folder with its own store, and its configuration names no server, no
  printer, no scale and no camera. Nothing has to be kept from being sent, because there is nothing that sends. Price:
  the rules of a site are read from the real home, and only read.
- *The same desk.* ``TrainingDesk`` is the desk with the device steps done for the person, so that what is learnt is
  what is worked with. Price: it follows every change of the flow.
- *Plates begin with TRAINING*, so that not even a photo of the screen passes for goods; no label is made at all.

What must not live here: screens, SQL, what people agree on in real work (``station.review.agreement``).
"""
