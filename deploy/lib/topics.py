"""The worker's topics: creates all twelve in one call of the admin API, the five inputs with the same number of partitions.

    topics.py BOOTSTRAP [--prefix booking.] [--partitions 4]     creates those that are missing
    topics.py BOOTSTRAP --prefix PREFIX --delete                 deletes them
"""
import argparse
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

INPUTS = ("customer-actions", "provider-actions", "gateway-callbacks", "operator-actions", "rerouted")
OUTPUTS = ("stage-changed", "customer-notifications", "provider-notifications", "payment-instructions", "operator-alerts",
           "rejections", "dead-letters")


def create_topics(bootstrap, prefix="booking.", partitions=4, timestamps="LogAppendTime", unequal=None, replicas=1):
    """Creates what is missing. `unequal`: {suffix: partitions} for those that are to differ."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    existing = admin.list_topics(timeout=30).topics
    wanted = []
    for suffix in INPUTS + OUTPUTS:
        if prefix + suffix not in existing:
            config = {"message.timestamp.type": timestamps} if suffix in INPUTS else {}
            wanted.append(NewTopic(prefix + suffix, (unequal or {}).get(suffix, partitions), replicas, config=config))
    for name, future in (admin.create_topics(wanted, operation_timeout=30) if wanted else {}).items():
        try:
            future.result(timeout=30)
        except KafkaException as error:
            raise SystemExit(f"topic {name} could not be created: {error}") from error
    made = [topic.topic for topic in wanted]
    await_topics(admin, made)
    return made


def await_topics(admin, names, seconds=30):
    """The controller has made them; a broker that is asked for them hears of it a moment later."""
    limit = time.monotonic() + seconds
    while not set(names) <= {name for name, topic in admin.list_topics(timeout=30).topics.items() if topic.partitions}:
        if time.monotonic() > limit:
            raise SystemExit(f"the topics were created, and after {seconds} s the broker does not know them")
        time.sleep(0.01)


def delete_topics(bootstrap, prefix):
    admin = AdminClient({"bootstrap.servers": bootstrap})
    names = [name for name in admin.list_topics(timeout=30).topics if name.startswith(prefix)]
    for future in (admin.delete_topics(names, operation_timeout=30) if names else {}).values():
        future.result(timeout=30)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bootstrap")
    parser.add_argument("--prefix", default="booking.")
    parser.add_argument("--partitions", type=int, default=4)
    parser.add_argument("--delete", action="store_true")
    arguments = parser.parse_args()
    if arguments.delete:
        print(f"{len(delete_topics(arguments.bootstrap, arguments.prefix))} topics deleted")
        return
    created = create_topics(arguments.bootstrap, arguments.prefix, arguments.partitions)
    print(f"{len(created)} topics created, {len(INPUTS) + len(OUTPUTS) - len(created)} were there")


if __name__ == "__main__":
    main()
