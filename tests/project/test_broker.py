"""The embedded broker: messages are files, and nobody ever reads half of one."""

import threading
from contextlib import contextmanager

import pytest
from kombu import Connection, Exchange, Queue

from project.broker import Transport

QUEUE = Queue("jobdeck", Exchange("jobdeck"), routing_key="jobdeck")


@pytest.fixture
def connect(tmp_path):
    """Opens connections to one broker in a folder that does not exist yet."""
    folder = tmp_path / "broker"
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
        "polling_interval": 0.05,
    }

    @contextmanager
    def opened():
        with Connection("filesystem://localhost", transport_options=options) as connection:
            yield connection

    return opened


def drain(connection, enough) -> list:
    """The messages that come until there are enough of them, or none for five seconds."""
    found = []
    with connection.Consumer(QUEUE, callbacks=[lambda body, message: (found.append(body), message.ack())]):
        while not enough(found):
            connection.drain_events(timeout=5)
    return found


def test_the_site_uses_it_for_the_filesystem_transport(connect):
    with connect() as connection:
        assert isinstance(connection.transport, Transport)


def test_what_is_sent_while_somebody_reads_arrives_once_and_whole(connect):
    def send(sender: int):
        with connect() as connection, connection.Producer() as producer:
            for number in range(100):
                producer.publish([sender, number, "x" * 20_000], routing_key="jobdeck", declare=[QUEUE])

    senders = [threading.Thread(target=send, args=(number,)) for number in range(3)]
    for sender in senders:
        sender.start()
    with connect() as connection:
        found = drain(connection, lambda found: len(found) == 300)
    for sender in senders:
        sender.join()
    assert sorted(tuple(body[:2]) for body in found) == [(s, n) for s in range(3) for n in range(100)]


def test_a_message_whose_sender_was_killed_while_writing_disturbs_nobody(connect, tmp_path):
    with connect() as connection, connection.Producer() as producer:
        producer.publish("first", routing_key="jobdeck", declare=[QUEUE])
        (tmp_path / "broker" / "0_dead.jobdeck.msg.0123.new").write_text('{"bo')
        producer.publish("second", routing_key="jobdeck")
        assert sorted(drain(connection, lambda found: len(found) == 2)) == ["first", "second"]


def test_queues_that_are_bound_at_the_same_time_are_all_known_afterwards(connect):
    names = [f"queue{number}" for number in range(20)]

    def bind(name: str):
        with connect() as connection:
            connection.default_channel._queue_bind("jobdeck", name, "", name)

    binders = [threading.Thread(target=bind, args=(name,)) for name in names]
    for binder in binders:
        binder.start()
    for binder in binders:
        binder.join()
    with connect() as connection:
        assert sorted(row.queue for row in connection.default_channel.get_table("jobdeck")) == sorted(names)
