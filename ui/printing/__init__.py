"""Paper that Qt prints: labels through the operating system's spooler, and the documents of a site.

A document is painted by one function, whatever it goes to: a PDF (``QPdfWriter``, vectors), a printer (``QPrinter``) or
a picture (``QImage``). Before anything leaves, it is painted as a picture at 300 dpi and every bar code on it is read
back; so what is checked is what is printed. Bars are a whole number of dots at 300 and 600 dpi.

Threads: Qt's documentation allows ``QPainter`` on ``QImage`` and ``QPrinter`` outside the GUI thread ("Painting in
Threads"), so ``SystemPrinter`` is used on the printer's own thread. Documents are made by a command of its own process.
"""
