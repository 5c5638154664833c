"""Sending spans to an OpenTelemetry collector over OTLP; its libraries are imported only when one is set."""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from workers.settings import Settings
from workers.trace.spans import Span, finished_by
from workers.trail.entry import Entry

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

log = logging.getLogger(__name__)


class Exporter:
    """Sends what an entry of the trail finishes, in the background; a collector that is away costs nothing.

    Args:
        processor: Collects spans and sends them.
        resource: What sends them.
    """

    def __init__(self, processor: "BatchSpanProcessor", resource: "Resource") -> None:
        self._processor = processor
        self._resource = resource

    def send(self, story: Sequence[Entry]) -> None:
        """Sends the spans that the story's last entry ends."""
        for span in finished_by(story):
            self._processor.on_end(_readable(span, self._resource))

    def close(self) -> None:
        """Sends what is left."""
        self._processor.shutdown()  # type: ignore[no-untyped-call]


def open_exporter(settings: Settings) -> Exporter | None:
    """What sends traces to OTEL_EXPORTER_OTLP_ENDPOINT; None when that is not set.

    Without the libraries (`pip install podcap[otel]`) the log says so and podcap works without traces.
    """
    endpoint = settings.otlp_endpoint
    if endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    except ImportError:
        log.warning(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but no trace is sent: install podcap with its extra `otel`."
        )
        return None
    # As the specification says of this variable: the path of the signal goes behind it.
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
    return Exporter(BatchSpanProcessor(exporter), Resource.create({"service.name": "podcap"}))


def _readable(span: Span, resource: "Resource") -> "ReadableSpan":
    from opentelemetry.sdk.trace import Event, ReadableSpan  # noqa: PLC0415
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope  # noqa: PLC0415
    from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags  # noqa: PLC0415

    def context(span_id: int) -> SpanContext:
        return SpanContext(
            span.trace_id, span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED)
        )

    return ReadableSpan(
        name=span.name,
        context=context(span.span_id),
        parent=None if span.parent_id is None else context(span.parent_id),
        resource=resource,
        attributes=span.attributes,
        events=[Event(name, timestamp=at) for at, name in span.events],
        kind=SpanKind.INTERNAL,
        status=Status(StatusCode.ERROR, span.error) if span.error else Status(StatusCode.OK),
        start_time=span.start,
        end_time=span.end,
        instrumentation_scope=InstrumentationScope("podcap"),
    )
