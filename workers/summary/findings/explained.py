"""A summary with its findings, the names of its addresses, and who came to which Service. Pure."""

from dataclasses import replace

from workers.service_truth.counted import count_visits
from workers.summary.context import Context
from workers.summary.findings.found import evidence, found
from workers.summary.summary import Summary


def explained(summary: Summary, context: Context) -> Summary:
    """The same with findings, names and visits.

    Raises:
        KeyError, TypeError, ValueError: The context's snapshot of the cluster is something else.
    """
    given = evidence(summary, context)
    if context.cluster is None:
        return replace(summary, findings=found(given))
    ends = dict.fromkeys(end for flow in summary.flows for end in (flow.a, flow.b))
    names = {**summary.names, **given.names.table(ends)}
    visits = count_visits(summary, given.cluster)
    return replace(summary, findings=found(given), names=names, visits=visits)
