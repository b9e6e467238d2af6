"""Returns that shops and portals ask for, and what they need to be judged: merchants and their catalogues.

Context: a shop repeats a request whose answer it did not get, and a bench must never meet an open return that was
refused. Decision: the first answer to an idempotency key is kept and given again; what was decided flows to the benches
by the feed in the same transaction, and only what was approved. Merchants and articles have no tables of their own
here: the feed's items are what is known of them. Price: they are looked up by key only.
"""
