"""The size-capped file on the node that tcpdump writes, and how it comes here whole."""
