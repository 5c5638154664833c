from hypothesis import HealthCheck, settings

from tests.examples import examples

# No test is held against the clock: a busy machine is not a fault.
settings.register_profile(
    "unhurried",
    deadline=None,
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")
