"""Traffic over time, drawn: from the numbers of a summary to a picture and to words for who cannot see it."""
