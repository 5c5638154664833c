"""Names that CNI plugins compute for a pod's link on its node. Pure.

A name can be given to any link and outlives its pod, so it only ever supports what something else has found.

- Calico: `cali` and the first 11 hexadecimal digits of the SHA-1 of `NAMESPACE.POD` (`VethNameForWorkload` in
  libcalico-go/lib/backend/k8s/conversion).
- Amazon VPC CNI: the same digits after `eni`, or after `vlan` where the pod has security groups of its own
  and so
  a branch interface (`GenerateHostVethName`; the prefix `eni` can be configured).
"""

from hashlib import sha1


def cni_names(namespace: str, pod: str) -> dict[str, str]:
    """The names that this pod's link could have, each with the plugin that gives it."""
    digits = sha1(f"{namespace}.{pod}".encode(), usedforsecurity=False).hexdigest()[:11]
    amazon = "the Amazon VPC CNI"
    return {f"cali{digits}": "Calico", f"eni{digits}": amazon, f"vlan{digits}": amazon}
