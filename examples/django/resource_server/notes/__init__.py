"""An example of a resource server: notes that whoever has a token with the scope `read` may read, and with `write` may add to."""
