"""The one-machine cluster in network namespaces, for trying podcap out and for its tests."""
