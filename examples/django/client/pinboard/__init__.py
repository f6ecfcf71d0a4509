"""An example of a client: it signs people in by grantlog, and pins up the notes that they keep at another site."""
