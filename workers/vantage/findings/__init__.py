"""What happened between vantage points, in words."""
