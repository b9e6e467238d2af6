"""What is plugged in, which device it is, and what it speaks. Opens nothing that nobody named.

``listing`` reads the system's table of serial ports; ``keys`` turns a port into a name that survives replugging, and
back; ``inventory`` adds what a device probably is, who holds it and what is in its way; ``detect`` finds a scale's
protocol on a port that a person named.

Context: ``/dev/ttyUSB0`` is whichever adapter was found first, and many adapters share one serial number or have none.
Decision: a device is known by its USB vendor, product and serial number where that number is its own, otherwise by the
socket that it is plugged into; a resolved key is checked again after the port is open. Price: an adapter without a
serial number belongs to its socket, and a twin plugged into the same socket cannot be told apart.
"""
