"""One at a time, in turn: with threads, and without waiting for a clock."""

import threading
from collections import Counter
from contextlib import suppress

from ui.turnstile import Turnstile


def work(stile, name, pieces, log, entered=None, at_work=None):
    """Do so many pieces of work, each in a turn."""
    with stile.enter() as turn:
        if entered:
            entered.set()
        for _ in range(pieces):
            for _ in turn.wait():
                pass
            if at_work is not None:
                assert at_work.acquire(blocking=False), "one at a time"
                at_work.release()
            log.append(name)
            turn.pass_on()


def in_line(stile, *jobs):
    """Start jobs while somebody else is at work, in this order, and let them go."""
    threads = []
    with stile.enter():
        for job in jobs:
            entered = threading.Event()
            threads.append(threading.Thread(target=work, args=(stile, *job, entered)))
            threads[-1].start()
            entered.wait()
    for thread in threads:
        thread.join()


def test_a_long_story_does_not_keep_a_short_one_waiting():
    stile, log = Turnstile(), []
    in_line(stile, ("long", 6, log), ("short", 2, log))
    assert log == ["long", "short", "long", "short", "long", "long", "long", "long"]


def test_everybody_gets_a_turn_in_order_of_arrival():
    stile, log = Turnstile(), []
    in_line(stile, ("a", 3, log), ("b", 3, log), ("c", 3, log))
    assert log == ["a", "b", "c"] * 3
    assert len(stile) == 0


def test_only_one_works_at_a_time():
    stile, log, inside, most = Turnstile(), [], [], []

    def busy(name):
        with stile.enter() as turn:
            for _ in range(200):
                for _ in turn.wait():
                    pass
                inside.append(name)
                most.append(len(inside))
                log.append(name)
                inside.remove(name)
                turn.pass_on()

    threads = [threading.Thread(target=busy, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(most) == {1} and Counter(log) == dict.fromkeys(range(4), 200)


def test_places_are_told_as_they_change():
    stile, seen, told = Turnstile(), [], threading.Event()

    def last():
        with stile.enter() as turn:
            for place in turn.wait():
                seen.append(place)
                told.set()
            seen.append(turn.place)

    with stile.enter() as first:
        with stile.enter() as second:
            thread = threading.Thread(target=last)
            thread.start()
            told.wait()
            assert (first.place, second.place) == (0, 1)
        told.clear()
        stile.wake()  # unless it has seen the change by itself: then it looks once more
        told.wait()
    thread.join()
    assert seen[0] == 2 and seen[-1] == 0 and 1 in seen and seen == sorted(seen, reverse=True)


def test_whoever_gives_up_while_waiting_or_fails_at_work_leaves_no_gap():
    stile, log, entered, gone = Turnstile(), [], threading.Event(), threading.Event()
    stop = threading.Event()

    def impatient():
        with stile.enter() as turn:
            entered.set()
            for _ in turn.wait():
                if stop.is_set():
                    break
        gone.set()

    def clumsy():
        with suppress(RuntimeError), stile.enter() as turn:
            for _ in turn.wait():
                pass
            raise RuntimeError

    with stile.enter():
        threads = [threading.Thread(target=impatient)]
        threads[0].start()
        entered.wait()
        threads += [threading.Thread(target=clumsy), threading.Thread(target=work, args=(stile, "after", 1, log))]
        for thread in threads[1:]:
            thread.start()
        stop.set()
        stile.wake()
        gone.wait()
        assert log == []
    for thread in threads:
        thread.join()
    assert log == ["after"] and len(stile) == 0
