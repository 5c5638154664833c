"""The selector of a Job: by the Job's own uid, so that no two Jobs ever share a pod."""

from deploy.lab.apiserver.status import Object

_UID, _NAME = "controller-uid", "job-name"
_PREFIX = "batch.kubernetes.io/"


def select_own_pods(job: Object) -> None:
    """Gives a new Job its selector, and its pods the labels. Changes the Job, which has its uid."""
    spec, uid = job["spec"], job["metadata"]["uid"]
    if spec.get("manualSelector"):
        return
    labels = spec["template"]["metadata"].setdefault("labels", {})
    for prefix in ("", _PREFIX):
        labels[prefix + _UID] = uid
        labels[prefix + _NAME] = job["metadata"]["name"]
    spec["selector"] = {"matchLabels": {_PREFIX + _UID: uid}}
