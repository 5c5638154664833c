"""A summary as one HTML page, for a browser."""
