"""TCP and UDP conversations, counted as tshark counts them."""
