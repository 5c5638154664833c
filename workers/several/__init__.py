"""What several taps of one capture come to together: one file, one summary, one delivery."""
