"""What is said of a first look that came late."""

from workers.surroundings.surroundings import Surroundings, looked_late


def test_a_first_look_after_a_takeover_says_since_when_it_tells_of_changes() -> None:
    looked = Surroundings("shop", "web-0", "u1", 1_795_461_600 * 10**9 + 5 * 10**6, missing=("No routes.",))
    why = (
        "This was looked at first at 19:20:00.005, when another worker took the capture over: what changed "
        "before that is not here."
    )
    assert looked_late(looked).missing == ("No routes.", why)
