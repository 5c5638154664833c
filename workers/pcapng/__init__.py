"""The capture file as it is delivered: pcapng, which says what it is and whose addresses it holds."""
