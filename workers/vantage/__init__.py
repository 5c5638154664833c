"""What happened between the places where one capture took packets: the same packet, recognised at each."""
