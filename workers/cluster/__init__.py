"""The one interface through which every question to a Kubernetes cluster goes."""
