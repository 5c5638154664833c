"""What stands beside the packets: logs and surroundings of each pod, joined with what its packets say."""
