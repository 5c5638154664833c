"""The workspace's people, channels and user groups, and their ids."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID_LENGTH = 9
_FOUNDED = 1_700_000_000


@dataclass(frozen=True, slots=True)
class User:
    """A person or a bot. `is_restricted` is a guest."""

    id: str
    name: str
    real_name: str
    email: str | None = None
    is_bot: bool = False
    is_restricted: bool = False


@dataclass(slots=True)
class Channel:
    """A conversation. A direct message (`is_im`) has no name and two members."""

    id: str
    name: str
    members: list[str]
    is_private: bool = False
    is_archived: bool = False
    is_ext_shared: bool = False
    is_im: bool = False
    created: int = _FOUNDED

    @property
    def name_in_payloads(self) -> str:
        """What slash commands and interactions call the channel: not the name where only members see it."""
        if self.is_im:
            return "directmessage"
        return "privategroup" if self.is_private else self.name


@dataclass(slots=True)
class UserGroup:
    """A user group; people mention it by its handle."""

    id: str
    handle: str
    name: str
    users: list[str]


@dataclass(slots=True)
class World:
    """One workspace with one app installed in it."""

    team_id: str
    team_domain: str
    team_name: str
    app_id: str
    bot_id: str
    bot: User
    users: dict[str, User] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    groups: dict[str, UserGroup] = field(default_factory=dict)

    def user(self, name_or_id: str) -> User | None:
        """The user with this id or name (with or without @)."""
        name = name_or_id.removeprefix("@")
        by_name = (user for user in self.users.values() if user.name == name)
        return self.users.get(name_or_id) or next(by_name, None)

    def channel(self, name_or_id: str) -> Channel | None:
        """The channel with this id or name (with or without #); direct messages have an id only."""
        name = name_or_id.removeprefix("#")
        named = (channel for channel in self.channels.values() if name and channel.name == name)
        return self.channels.get(name_or_id) or next(named, None)

    def direct_message(self, one: User, other: User) -> Channel:
        """The direct message of two users, begun when there is none."""
        pair = {one.id, other.id}
        for channel in self.channels.values():
            if channel.is_im and set(channel.members) == pair:
                return channel
        id_ = slack_id("D", "-".join(sorted(pair)))
        self.channels[id_] = Channel(id_, "", sorted(pair), is_im=True)
        return self.channels[id_]

    def join(self, name: str, channels: Iterable[str] = (), groups: Iterable[str] = ()) -> User:
        """A new person, who is in these channels and user groups; one who is there already joins them.

        Raises:
            KeyError: There is no such channel or user group.
        """
        user = self.user(name) or _person(name, name.title())
        places = [(self.channel(channel), channel) for channel in channels]
        handles = {group.handle: group for group in self.groups.values()}
        joined = [handles[handle] for handle in groups]
        for channel, asked in places:
            if channel is None:
                raise KeyError(asked)
        self.users[user.id] = user
        for members in (*(channel.members for channel, _ in places if channel), *(g.users for g in joined)):
            if user.id not in members:
                members.append(user.id)
        return user

    def sees(self, user: User, channel: Channel) -> bool:
        """Whether a user can know of a channel: public, or one of its members."""
        return not (channel.is_private or channel.is_im) or user.id in channel.members

    def has_bot(self, channel: Channel) -> bool:
        """Whether the app's bot user is a member."""
        return self.bot.id in channel.members


def slack_id(letter: str, seed: str) -> str:
    """An id as Slack's look: a letter for the kind, `0`, nine digits and capitals; it follows from `seed`."""
    number = int.from_bytes(hashlib.sha256(f"{letter}/{seed}".encode()).digest()[:8])
    digits = ""
    for _ in range(_ID_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits += _ALPHABET[digit]
    return f"{letter}0{digits}"


def small_world() -> World:
    """The workspace of the lab: three people, one of them a guest, and a channel of every kind."""
    bot = User(slack_id("U", "podcap"), "podcap", "podcap", is_bot=True)
    world = World(
        team_id=slack_id("T", "example"),
        team_domain="example",
        team_name="Example",
        app_id=slack_id("A", "podcap"),
        bot_id=slack_id("B", "podcap"),
        bot=bot,
    )
    alice, bob = _person("alice", "Alice Alvarez"), _person("bob", "Bob Baker")
    mallory = _person("mallory", "Mallory Moss", is_restricted=True)
    world.users = {user.id: user for user in (alice, bob, mallory, bot)}
    staff = [alice, bob]
    everybody = [*staff, mallory]
    for channel in (
        _channel("incidents", [*everybody, bot]),
        _channel("general", [*everybody, bot]),
        _channel("random", everybody),
        _channel("war-room", [*staff, bot], is_private=True),
        _channel("secret", staff, is_private=True),
        _channel("old-incident", [*staff, bot], is_archived=True),
        _channel("shared-partner", [*everybody, bot], is_ext_shared=True),
    ):
        world.channels[channel.id] = channel
    world.direct_message(alice, bot)
    world.direct_message(alice, bob)
    for group in (_group("oncall", "On call", [alice, bob]), _group("security", "Security", [bob])):
        world.groups[group.id] = group
    return world


def _person(name: str, real_name: str, *, is_restricted: bool = False) -> User:
    return User(slack_id("U", name), name, real_name, f"{name}@example.com", is_restricted=is_restricted)


def _channel(
    name: str,
    members: Iterable[User],
    *,
    is_private: bool = False,
    is_archived: bool = False,
    is_ext_shared: bool = False,
) -> Channel:
    return Channel(
        slack_id("C", name),
        name,
        [user.id for user in members],
        is_private=is_private,
        is_archived=is_archived,
        is_ext_shared=is_ext_shared,
    )


def _group(handle: str, name: str, users: Iterable[User]) -> UserGroup:
    return UserGroup(slack_id("S", handle), handle, name, [user.id for user in users])
