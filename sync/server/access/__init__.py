"""Which benches may come in, with which key, and what is signed between them and the centre.

Context: a shared token proves nothing about *which* bench wrote a record, and taking it away from one takes it away
from all. Decision: IT makes a one-time code; with it a bench hands in the public half of a key it made itself. From
then on it proves itself by short-lived tokens, signs every push, and can be shut out at once. The centre signs how
far it holds each journal, so that neither side can shorten or rewrite it unseen.
Price: two small rows and two signatures per push (some 0.5 ms). The simple mode (one shared token, or loopback) stays
for trials; a bench that enrolled cannot fall back to it.

``codes`` pure · ``signing`` the server's own key · ``register`` who is enrolled · ``tokens`` who is asking ·
``sealing`` what a push proves and is answered · ``admin`` what IT does.
"""
