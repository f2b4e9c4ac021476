"""New connections: how many are let in, how long the others are refused, how they are let go."""

import asyncio
import json
import socket
import sys
import time

from holmdel.server.gate import Gate
from holmdel.server.metrics import Metrics
from holmdel.server.running import say
from holmdel.server.settings import ServerSettings
from holmdel.server.shedding import Door, Shed

TURN = 0.125  # seconds that an iteration may take: of a second's wait an eighth
LATE = "a request waits for more than 1 s; try again later"


def door(**settings):
    gate = Gate(ServerSettings(**settings), Metrics(), log=None)
    return Door(gate), gate


def let_in(door, most=2000):
    """Returns how many new connections are let in, and why no more are."""
    door.open()
    count, reason = 0, None
    while count < most and not (reason := door.refuses()):
        count += 1
    door.close()
    return count, reason


async def turns(count, seconds=0.0):
    """Lets so many iterations of the event loop take so many seconds."""
    for _ in range(count):
        time.sleep(seconds)
        await asyncio.sleep(0)


def test_at_first_as_many_are_let_in_as_requests_have_a_place():
    async def ask(door, gate):
        gate.under_way, gate.listening = 30, 10
        return let_in(door)

    full = "100 requests are being answered; try again later"
    assert asyncio.run(ask(*door(requests=100))) == (80, full)


def test_connections_count_until_their_requests_do():
    async def ask(door, gate):
        found = [let_in(door)[0]]
        await turns(2)
        found.append(let_in(door)[0])
        await turns(6)
        return [*found, let_in(door)[0]]

    assert asyncio.run(ask(*door(requests=100))) == [100, 0, 100]


def test_where_the_loop_takes_too_long_fewer_are_let_in():
    """Of 200 that wait for iterations of twice the time half would be right; of a few always 16."""

    async def ask(door, gate, *waiting):
        found = []
        for before, now in waiting:
            gate.under_way = before
            let_in(door, 1)
            await turns(6, 2 * TURN)
            gate.under_way = now
            found.append(let_in(door))
            await turns(6)
        return found

    many, some, few = asyncio.run(ask(*door(), (200, 200), (200, 0), (4, 4)))
    assert many == (0, LATE)
    assert 16 < some[0] <= 101
    assert some[1] == LATE
    assert few == (12, LATE)


def test_where_the_loop_is_quick_again_more_are_by_and_by():
    async def ask(door, gate):
        gate.under_way = 300
        let_in(door, 1)
        await turns(2, 2 * TURN)
        gate.under_way = 0
        found = []
        for _ in range(30):
            found.append(let_in(door)[0])
            await turns(6)
        return found

    found = asyncio.run(ask(*door()))
    assert found[0] < 160
    assert found[1] < 300
    assert found == sorted(found)
    assert found[-1] == 512


def test_how_long_the_loop_took_is_forgotten():
    async def ask(door, gate):
        gate.under_way = 300
        let_in(door, 1)
        await turns(6, 2 * TURN)
        gate.under_way = 0
        before = let_in(door)[0]
        await turns(6)
        await asyncio.sleep(1.1)
        return before, let_in(door)[0]

    before, after = asyncio.run(ask(*door()))
    assert before < 200
    assert after == 512


def test_new_ones_are_taken_three_times_as_long_as_the_rest_of_an_iteration():
    def taken(door):
        door.open()
        began = time.perf_counter()
        while not door.over:
            time.sleep(0.001)
        seconds = time.perf_counter() - began
        door.close()
        return seconds

    async def ask(door, gate):
        found = [taken(door)]
        for seconds in (0.02, 0.2):
            await turns(3, seconds)
            found.append(taken(door))
        return found

    tries = [asyncio.run(ask(*door())) for _ in range(3)]
    quick, longer, longest = map(min, zip(*tries, strict=True))
    assert 0.015 <= quick < 0.04
    assert 0.06 <= longer < 0.12
    assert TURN <= longest < 0.2


def test_who_is_refused_unread_is_told_why_also_if_it_has_sent():
    shed = Shed(most=2)
    pairs = [socket.socketpair() for _ in range(3)]
    for client, server in pairs:
        client.settimeout(20)
        client.sendall(b"POST / HTTP/1.1\r\n\r\n")
        shed.refuse(server, LATE)
    heads = [client.recv(1000).partition(b"\r\n\r\n") for client, _ in pairs]
    for head, _, body in heads:
        assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert b"\r\nretry-after: 1\r\n" in head + b"\r\n"
        assert b"\r\nconnection: close" in head
        assert json.loads(body) == {"error": LATE}
    assert all(client.recv(10) == b"" for client, _ in pairs)  # the end, and no reset
    assert [server.fileno() == -1 for _, server in pairs] == [True, False, False]
    shed.sweep()
    assert [server.fileno() == -1 for _, server in pairs] == [True, False, False]
    shed.sweep(0.0)
    assert all(server.fileno() == -1 for _, server in pairs)
    for client, _ in pairs:
        client.close()


def test_who_has_gone_is_refused_without_a_word():
    shed = Shed(most=2)
    client, server = socket.socketpair()
    client.close()
    shed.refuse(server, LATE)
    shed.sweep(0.0)
    assert server.fileno() == -1


def test_a_line_is_written_at_once_so_that_those_of_two_processes_do_not_run_together(monkeypatch):
    written = []

    class Stream:
        write = staticmethod(written.append)
        flush = staticmethod(int)

    monkeypatch.setattr(sys, "stderr", Stream())
    say("reloaded")
    assert written == ["reloaded\n"]
