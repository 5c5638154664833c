"""A node's kubelet: runs pods as Kubernetes does, on the runtime crun, and speaks HTTP on a unix socket."""
