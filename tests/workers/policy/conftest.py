from hypothesis import HealthCheck, settings

# No test is held against the clock: a busy machine is not a fault.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
