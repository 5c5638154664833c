"""The database table of captures and their state. The queue carries ids only; this is the truth."""
