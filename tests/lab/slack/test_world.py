import re

from deploy.lab.slack.world import slack_id, small_world


def test_ids_look_like_slacks_and_are_the_same_in_every_workspace_of_the_lab() -> None:
    world = small_world()
    for id_ in (*world.users, *world.channels, *world.groups, world.team_id, world.app_id, world.bot_id):
        assert re.fullmatch(r"[UCDSTAB]0[0-9A-Z]{9}", id_)
    assert world.channels.keys() == small_world().channels.keys()
    assert slack_id("C", "a") != slack_id("C", "b")


def test_each_kind_of_channel_is_there() -> None:
    world = small_world()
    bot_in = {channel.name for channel in world.channels.values() if world.has_bot(channel)}
    assert bot_in == {"incidents", "general", "war-room", "old-incident", "shared-partner", ""}
    secret = world.channel("#secret")
    assert secret is not None
    assert not world.sees(world.bot, secret)


def test_payloads_name_a_channel_only_where_it_is_public() -> None:
    world = small_world()
    names = {channel.name: channel.name_in_payloads for channel in world.channels.values()}
    assert names["incidents"] == "incidents"
    assert names["war-room"] == "privategroup"
    assert names[""] == "directmessage"


def test_a_direct_message_is_begun_once() -> None:
    world = small_world()
    bob = world.user("bob")
    assert bob is not None
    begun = world.direct_message(bob, world.bot)
    assert world.direct_message(world.bot, bob) is begun
