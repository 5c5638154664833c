"""Capture files, read as a stream: pcap."""
