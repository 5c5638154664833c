"""Jobs: pods until as many have succeeded as wanted or too many failed. Nothing is retried with a delay."""

from deploy.lab.apiserver import times
from deploy.lab.apiserver.controllers.cluster import Cluster
from deploy.lab.apiserver.controllers.owned import claim, create_pod, pod_of
from deploy.lab.apiserver.events import News
from deploy.lab.apiserver.podstatus import is_active, is_ready
from deploy.lab.apiserver.resources import JOBS, PODS
from deploy.lab.apiserver.status import Object

_COMPONENT = "job-controller"


def reconcile(cluster: Cluster) -> None:
    """Creates the pods that are missing, and says how each Job does."""
    for job in cluster.store.objects(JOBS):
        if "deletionTimestamp" not in job["metadata"] and not _is_over(job):
            _reconcile_one(cluster, job)


def _is_over(job: Object) -> bool:
    return any(one["type"] in {"Complete", "Failed"} for one in job.get("status", {}).get("conditions", []))


def _reconcile_one(cluster: Cluster, job: Object) -> None:
    spec = job["spec"]
    if spec["suspend"]:
        return
    pods = claim(cluster, job, PODS)
    succeeded, failed = (_in(phase, pods) for phase in ("Succeeded", "Failed"))
    active = [pod for pod in pods if is_active(pod)]
    if failed <= spec["backoffLimit"]:
        missing = min(spec["parallelism"], spec["completions"] - succeeded) - len(active)
        for _ in range(missing):
            pod = pod_of(job, generateName=f"{job['metadata']['name']}-")
            if not create_pod(cluster, job, pod, _COMPONENT):
                break
    pods = claim(cluster, job, PODS)
    news = _ending(spec, succeeded, failed)
    cluster.store.change(JOBS, job, lambda one: one.update(status=_status(one, pods, news)))
    if news:
        cluster.events.record(job, news, _COMPONENT)


def _in(phase: str, pods: list[Object]) -> int:
    return sum(1 for pod in pods if pod.get("status", {}).get("phase") == phase)


def _ending(spec: Object, succeeded: int, failed: int) -> News | None:
    if succeeded >= spec["completions"]:
        return News("Normal", "Completed", "Job completed")
    if failed > spec["backoffLimit"]:
        return News("Warning", "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    return None


def _status(job: Object, pods: list[Object], news: News | None) -> Object:
    old = job.get("status", {})
    active = [pod for pod in pods if is_active(pod)]
    counts = {
        "active": len(active),
        "ready": sum(1 for pod in active if is_ready(pod)),
        "succeeded": _in("Succeeded", pods),
        "failed": _in("Failed", pods),
    }
    status = {"startTime": old.get("startTime", times.now())} | {k: n for k, n in counts.items() if n}
    if news is None:
        return status
    done = news.reason == "Completed"
    status["conditions"] = [
        {
            "type": "Complete" if done else "Failed",
            "status": "True",
            "reason": "CompletionsReached" if done else news.reason,
            "message": news.message,
            "lastProbeTime": times.now(),
            "lastTransitionTime": times.now(),
        }
    ]
    return status | ({"completionTime": times.now()} if done else {})
