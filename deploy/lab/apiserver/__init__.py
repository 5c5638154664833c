"""The lab's stand-in for the Kubernetes API server, its controller manager and its scheduler.

It serves a written list of resources (`resources`) over HTTPS as Kubernetes 1.36 does, refuses what the
real one refuses with the same Status bodies, and talks to the nodes' kubelets over their unix sockets.
"""
