"""What one tap of a capture saw of Services. Pure."""

from dataclasses import dataclass

from workers.service_truth.visits import Visits
from workers.vantage.vantage import Vantage


@dataclass(frozen=True, slots=True)
class Sight:
    """A vantage point, and who came to which doors there; `seconds` from its first to its last packet."""

    vantage: Vantage
    visits: tuple[Visits, ...]
    seconds: float = 0.0
