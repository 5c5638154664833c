"""What Jobs and CronJobs may hold, in the words of Kubernetes' validation."""

import re

from deploy.lab.apiserver import names, pod_validation
from deploy.lab.apiserver.status import FieldError, Object, invalid_value, not_supported, required

_RESTARTS = ("Never", "OnFailure")
_CONCURRENCY = ("Allow", "Forbid", "Replace")
_LONGEST_CRON_NAME = 52
_CRON_FIELD = r"(\*|\?|[0-9A-Za-z]+(-[0-9A-Za-z]+)?)(/[0-9]+)?"
_SCHEDULE = re.compile(rf"@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)|{_CRON_FIELD}"
                       rf"(,{_CRON_FIELD})*(\s+{_CRON_FIELD}(,{_CRON_FIELD})*){{4}}")  # fmt: skip


def job(value: Object) -> list[FieldError]:
    """Errors of a Job."""
    return _job_spec(value["spec"], "spec")


def _job_spec(spec: Object, at: str) -> list[FieldError]:
    counts = (
        "parallelism",
        "completions",
        "backoffLimit",
        "activeDeadlineSeconds",
        "ttlSecondsAfterFinished",
    )
    errors = [
        invalid_value(f"{at}.{field}", spec[field], "must be greater than or equal to 0")
        for field in counts
        if spec.get(field, 0) < 0
    ]
    template = spec["template"]
    errors += names.labels(f"{at}.template.labels", template["metadata"].get("labels", {}))
    errors += pod_validation.pod_spec(template["spec"], f"{at}.template.spec")
    policy = template["spec"]["restartPolicy"]
    if policy not in _RESTARTS:
        field = f"{at}.template.spec.restartPolicy"
        if policy == "Always":
            # What everybody meets first: the default of pods is none of a Job.
            why = 'Required value: valid values: "OnFailure", "Never"'
            errors.append(FieldError("FieldValueRequired", field, why))
        else:
            errors.append(not_supported(field, policy, _RESTARTS))
    return errors


def job_update(new: Object, old: Object) -> list[FieldError]:
    """Errors of a change to a Job."""
    return [
        FieldError("FieldValueInvalid", f"spec.{field}", "Invalid value: field is immutable")
        for field in ("completions", "selector", "template")
        if new["spec"].get(field) != old["spec"].get(field)
    ]


def cron_job(value: Object) -> list[FieldError]:
    """Errors of a CronJob."""
    spec, name = value["spec"], value["metadata"].get("name", "")
    errors = _job_spec(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec")
    if len(name) > _LONGEST_CRON_NAME:
        why = f"must be no more than {_LONGEST_CRON_NAME} characters"
        errors.append(invalid_value("metadata.name", name, why))
    schedule = spec.get("schedule", "")
    if not schedule:
        errors.append(required("spec.schedule"))
    elif not _SCHEDULE.fullmatch(schedule.strip()):
        count = len(schedule.split())
        why = f"expected exactly 5 fields, found {count}: [{schedule}]"
        errors.append(invalid_value("spec.schedule", schedule, why))
    if spec["concurrencyPolicy"] not in _CONCURRENCY:
        errors.append(not_supported("spec.concurrencyPolicy", spec["concurrencyPolicy"], _CONCURRENCY))
    return errors
