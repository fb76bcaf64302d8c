"""`orders` on what a real worker has written: lists, JSON lines, numbers, and pages by the command that each page prints."""
import json
import shlex
import time

import psycopg

from world import Actor, until

DAY_MS = 86_400_000


def listed(world, *words):
    """The JSON lines of `orders`, without what it says on stderr after them."""
    return [json.loads(line) for line in world.command("orders", "--json", *words).splitlines() if line.startswith("{")]


def ids(world, *words):
    return sorted(line["order_id"] for line in listed(world, *words))


def stages(world):
    return dict(world.query("SELECT stage, count(*) FROM booking.order_overview GROUP BY stage"))


def test_an_operator_finds_what_waits_for_whom(world):
    world.worker().wait_ready()
    now_ms = int(time.time() * 1000)
    placed, to_pay, paid, disputed = (Actor(world, start_ms=now_ms + (5000 if number == 3 else 3 * DAY_MS)) for number in range(4))
    for order in (placed, to_pay, paid, disputed):
        order.place()
    for order in (to_pay, paid, disputed):
        order.provider("ConfirmOrder")
    for order in (paid, disputed):
        order.pay()
    paid.provider("EditOrder", price=paid.money(9000), comment="more work")
    until("the appointment to begin", lambda: int(time.time() * 1000) > disputed.start_ms)
    disputed.provider("MarkDone")
    disputed.customer("OpenClaim", text="nobody came")
    until("all of it to be written", lambda: world.query("SELECT count(*) FROM booking.claims_open") == [(1,)]
          and world.query("SELECT count(*) FROM booking.order_overview WHERE proposal = 'pending'") == [(1,)]
          and stages(world) == {"CONFIRMATION": 1, "PAYMENT": 1, "EXECUTION": 1, "EXECUTION_CONFIRMATION": 1}, 60)

    assert ids(world) == sorted(order.key for order in (placed, to_pay, paid, disputed))
    assert ids(world, "--stage", "payment") == [to_pay.key]
    assert ids(world, "--claim", "open") == [disputed.key]
    assert ids(world, "--proposal") == [paid.key]
    assert ids(world, "--due-within", "13h") == [to_pay.key]
    assert ids(world, "--overdue") == ids(world, "--held") == ids(world, "--payout-overdue") == ids(world, "--older-than", "1h") == []
    assert ids(world, "--customer", "customer-1", "--provider", "provider-1", "--market", "default") == ids(world)
    assert ids(world, "--customer", "customer-2") == []

    line = listed(world, "--claim", "any")[0]
    assert (line["stage"], line["claim"], line["deadline_at"], line["ledger_minor"]["captured"]) == ("EXECUTION_CONFIRMATION", "open", None, 8000)
    table = world.command("orders", "--sort", "since")
    for words in (placed.key, "CONFIRMATION/provider", "80.00 EUR", "^ claim open", "^ change proposed"):
        assert words in table
    assert max(map(len, table.splitlines())) <= 120
    assert "EXECUTION_CONFIRMATION             1" in world.command("orders", "--count")
    counts = listed(world, "--count", "--stage", "PAYMENT,CLOSED")
    assert {line["stage"]: line["orders"] for line in counts if line["orders"]} == {"PAYMENT": 1}


def test_an_order_in_no_stage_is_counted_as_that(world):
    """A column that somebody damaged, or a newer build wrote: `orders --count` reads the columns alone."""
    world.worker().wait_ready()
    damaged, sound = Actor(world), Actor(world)
    damaged.place()
    sound.place()
    until("both to be written", lambda: stages(world) == {"CONFIRMATION": 2})
    for code in (77, -1, 0):
        with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
            admin.execute("UPDATE booking.orders SET stage = %s WHERE order_id = %s", (code, damaged.key))
        said = [line.split() for line in world.command("orders", "--count", expect=1).splitlines()]
        assert said[-2:] == [["(no", "such", "stage)", "1"], ["all", "2"]]
        lines = [json.loads(line) for line in world.command("orders", "--count", "--json", expect=1).splitlines()]
        assert {line["stage"]: line["orders"] for line in lines if line["orders"]} == {None: 1, "CONFIRMATION": 1}
    for codes in ((77, -1), (-1, 77)):
        with psycopg.connect(world.admin_conninfo, autocommit=True) as admin:
            for order, code, since in zip((damaged, sound), codes, ("2026-01-01Z", "2026-02-02Z"), strict=True):
                admin.execute("UPDATE booking.orders SET stage = %s, stage_since = %s WHERE order_id = %s", (code, since, order.key))
        unknown = json.loads(world.command("orders", "--count", "--json", expect=1).splitlines()[0])
        assert (unknown["stage"], unknown["orders"], unknown["oldest_since"][:10]) == (None, 2, "2026-01-01")


def test_each_page_prints_the_command_for_the_next(world):
    world.worker().wait_ready()
    orders = [Actor(world) for _ in range(5)]
    for order in orders:
        order.place()
    until("all to be written", lambda: stages(world) == {"CONFIRMATION": 5})
    seen, words = [], ["orders", "--limit", "2"]
    while words:
        said = world.command(*words).splitlines()
        seen += [line.split()[0] for line in said if "CONFIRMATION/provider" in line]
        following = [shlex.split(line.removeprefix("next page: ")) for line in said if line.startswith("next page: ")]
        words = following[0][1:2] + following[0][4:] if following else None  # --config FILE comes anew
    assert seen == [order.key for order in reversed(orders)]  # the newest first
    after = listed(world, "--limit", "3")[-1]["cursor"]
    assert [line["order_id"] for line in listed(world, "--after", after)] == seen[3:]
