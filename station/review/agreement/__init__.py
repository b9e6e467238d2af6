"""Whether two people see the same in the same item: blind re-inspections, golden items, kappa, drift, coaching.

``plan`` chooses which units are looked at again and makes their returns, ``codes`` gives those returns numbers like any
other, ``blind_store`` keeps what the bench records of them apart from real goods. ``ratings`` reads who said what of
the same item, ``kappa`` and ``several`` measure agreement, ``report`` puts it together, ``drift`` says when a person
begins to see things otherwise than agreed, ``coaching`` shows that person where.

Decisions
- *The translation happens below the desk.* A planted unit goes through the same desk, screen and label as any other;
  only where facts enter the journal their kind gets the prefix ``blind.``. Nothing above can know, and nothing below
  can take it for goods: no projection here or at the centre reads such a kind. Price: the bench's program holds the
  list of planted returns, so whoever may read its database can find them; whoever works at it cannot.
- *A planted return is made of a real one*: the original's own article, reason, words, amounts and spans of time, with
  fresh numbers drawn by the shape of the numbers they replace. What is the same by construction needs no disguise.
- *Nobody is ranked.* Figures are of questions, defects and grades; a person's own figures are shown for that person,
  with what to look at, and only when asked for by name.
- *What cannot be measured is said in words.* Too few units, or everybody saying the same of every unit, gives a
  sentence and no number: a kappa of 0 would read as disagreement.
- *Kappa is a float*; nothing is booked with it.

What must not live here: files, SQL, screens, what a unit is worth or where it goes.
"""
