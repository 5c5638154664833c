from workers.alive import SignsOfLife


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_gives_its_signs_is_not_missed_and_what_stops_is_named() -> None:
    clock = Clock()
    signs = SignsOfLife(clock)
    signs.expect("the heartbeat", within=60)
    for _ in range(10):
        clock.now += 50
        assert signs.missing() is None
        signs.give("the heartbeat")
    clock.now += 61
    assert "no sign of life of the heartbeat for 60 s" in str(signs.missing())
    signs.give("the heartbeat")
    assert signs.missing() is None


def test_nothing_is_expected_of_what_was_released_or_was_never_expected() -> None:
    clock = Clock()
    signs = SignsOfLife(clock)
    signs.give("somebody else")
    signs.expect("the consumer", within=60)
    signs.release("the consumer")
    clock.now += 1000
    signs.give("the consumer")
    clock.now += 1000
    assert signs.missing() is None
