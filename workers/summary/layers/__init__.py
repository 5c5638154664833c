"""From a frame to its IP datagram: link layers, IP, fragments."""
