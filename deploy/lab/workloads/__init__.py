"""What runs in the lab's cluster from the beginning, as Kubernetes objects."""
