"""Where one pod's packets are taken: evidence gathered on the node, the decision made here."""
