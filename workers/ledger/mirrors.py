"""How far each channel has the trail."""

from sqlalchemy import Engine, insert, select, update

from workers.ledger.schema import mirrors


class Mirrors:
    """The channels that a copy of the trail goes to. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._reading = engine.execution_options(reading=True)

    def has(self, channel: str) -> int:
        """The number of the last entry of the trail that a channel has; 0 when it has none."""
        query = select(mirrors.c.number).where(mirrors.c.channel == channel)
        with self._reading.connect() as connection:
            return connection.execute(query).scalar_one_or_none() or 0

    def note(self, channel: str, number: int) -> None:
        """Remembers how far a channel has the trail."""
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(mirrors).where(mirrors.c.channel == channel).values(number=number)
            )
            if changed.rowcount == 0:
                connection.execute(insert(mirrors).values(channel=channel, number=number))
