"""Writes a transition table that is wrong in one place, so that the matrix has something to find. A table that has no such
place is copied: then the test that waits for a finding fails, and not the build.

    spoil.py WAY TABLE.C OUT.C
"""
import re
import sys


def place_of(rows, *parts):
    """The one row that has all these parts."""
    found = [number for number, row in enumerate(rows) if all(part in row for part in parts)]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows have {' and '.join(parts)}")
    return found[0]


def exchange(rows):
    """Who gives no reason is told so before he is told that it is too late."""
    late, reason = place_of(rows, '"X6"', "appointment_has_begun"), place_of(rows, '"X1"', "gives_no_reason")
    rows[late], rows[reason] = rows[reason], rows[late]


def permute(rows):
    """Who names both another zone and another currency is told of the zone first."""
    currency, zone = place_of(rows, '"C8"', "names_another_currency"), place_of(rows, '"C8"', "names_another_zone")
    rows[currency], rows[zone] = rows[zone], rows[currency]


def repeat(rows):
    """A second row for what the first one catches already."""
    again = place_of(rows, '"V4"', "claim_was_made")
    rows.insert(again + 1, rows[again])


def omit(rows):
    """Nobody answers the customer who edits a paid order."""
    del rows[place_of(rows, '"E7"')]


def reword(rows):
    """The customer who edits a paid order is told another reason."""
    other = place_of(rows, '"E7"')
    rows[other] = rows[other].replace("REASON_CONTACT_THE_PROVIDER", "REASON_WRONG_STAGE")


WAYS = {way.__name__: way for way in (exchange, permute, repeat, omit, reword)}


def main():
    way, source, target = sys.argv[1:]
    with open(source, encoding="utf-8") as file:
        text = file.read()
    rows = re.findall(r"^\{\.rule = .*?\},\n(?=^\{|^$|^\};|^/)", text, re.M | re.S)
    before, _, rest = text.partition(rows[0])
    after = rest[rest.index("\n};") + 1:]
    try:
        WAYS[way](rows)
    except LookupError as error:
        print(f"{source} cannot be spoilt by '{way}': {error}", file=sys.stderr)
    with open(target, "w", encoding="utf-8") as file:
        file.write(before + "".join(rows) + after)


if __name__ == "__main__":
    main()
