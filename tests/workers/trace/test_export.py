"""Spans on their way to a collector, as it decodes them."""

import subprocess
import sys

from tests.workers.trace.collector import attributes, collecting
from tests.workers.trace.test_spans import told
from workers.settings import Settings
from workers.trace.export import open_exporter


def test_a_collector_gets_the_spans_of_a_capture() -> None:
    with collecting() as collector:
        exporter = open_exporter(Settings(OTEL_EXPORTER_OTLP_ENDPOINT=f"{collector.url}/"))
        assert exporter is not None
        exporter.send(told("requested", "queued"))
        exporter.send(told("requested", "queued", "failed", sentence="There is no such pod."))
        exporter.close()
        requested, queued, whole = collector.spans("cap-7f3k9q")
    assert set(collector.paths) == {"/v1/traces"}
    assert [span.name for span in (requested, queued, whole)] == ["requested", "queued", "capture"]
    assert {span.trace_id for span in (requested, queued)} == {whole.trace_id}
    assert queued.parent_span_id == whole.span_id
    assert whole.parent_span_id == b""
    assert queued.status.code == 2
    assert queued.status.message == "There is no such pod."
    assert queued.end_time_unix_nano - queued.start_time_unix_nano == 10**9
    assert attributes(whole)["podcap.state"] == "failed"
    (resource,) = {request.resource_spans[0].resource.attributes[0].key for request in collector.requests} & {
        "service.name",
        "telemetry.sdk.language",
    }
    assert resource


def test_without_an_endpoint_nothing_of_opentelemetry_is_imported() -> None:
    code = (
        "import sys\nfrom workers.settings import Settings\nfrom workers.trace.export import open_exporter\n"
        "assert open_exporter(Settings()) is None\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert done.stdout.strip() == "[]"


def test_without_the_libraries_the_log_says_so_and_podcap_works() -> None:
    code = (
        "import sys\nsys.modules['opentelemetry.exporter.otlp.proto.http.trace_exporter'] = None\n"
        "from workers.settings import Settings\nfrom workers.trace.export import open_exporter\n"
        "assert open_exporter(Settings(OTEL_EXPORTER_OTLP_ENDPOINT='http://127.0.0.1:1')) is None"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
    assert "install podcap with its extra `otel`" in done.stderr
