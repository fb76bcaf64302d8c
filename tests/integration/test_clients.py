"""Clients that are not ours put orders through and read the outputs: Confluent's Avro serializers against a real registry, and
fastavro with single-object encoding."""
import json
import time
import urllib.error
import urllib.request
import uuid

import pytest
from confluent_kafka import SerializingProducer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, StringSerializer

from wire import SCHEMA_DIRECTORY, new_id
from world import SCHEMAS, Actor, until

HOUR = 3_600_000


def ask_registry(url, method="GET", body=None):
    request = urllib.request.Request(url, method=method, data=json.dumps(body).encode() if body is not None else None,
                                     headers={"Content-Type": "application/vnd.schemaregistry.v1+json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read())


@pytest.fixture
def registry(servers):
    return SchemaRegistryClient({"url": servers.registry})


def producer_for(world, registry, suffix):
    """As Confluent's documentation has it: the serializer registers the schema under the topic's name and writes its id."""
    text = (SCHEMA_DIRECTORY / f"{suffix}.avsc").read_text(encoding="utf-8")
    return SerializingProducer({"bootstrap.servers": world.servers.kafka, "partitioner": "murmur2_random",
                                "key.serializer": StringSerializer("utf_8"), "value.serializer": AvroSerializer(registry, text)})


def test_confluent_clients_with_a_real_registry_put_an_order_through(world, registry):
    decoders = {}

    def decode(suffix, data):
        assert data[0] == 0, f"{suffix}: no Confluent prefix: {data[:6].hex()}"
        decoder = decoders.setdefault(suffix, AvroDeserializer(registry))
        return decoder(data, SerializationContext(world.prefix + suffix, MessageField.VALUE))

    reader = world.reader(decode=decode)
    world.worker(registry={"url": world.servers.registry}).wait_ready()
    key, now = new_id(), int(time.time() * 1000)
    customer, provider, gateway = (producer_for(world, registry, suffix) for suffix in
                                   ("customer-actions", "provider-actions", "gateway-callbacks"))

    def send(producer, suffix, action, **more):
        producer.produce(world.prefix + suffix, key, {"event_id": new_id(), "order_id": key, "occurred_at": now, "action": action, **more})
        assert producer.flush(30) == 0

    def changes():
        return [record.value for record in reader.of("stage-changed", key)]

    send(customer, "customer-actions", ("booking.PlaceOrder", {
        "customer_id": "c", "provider_id": "p", "start": now + 48 * HOUR, "end": now + 49 * HOUR, "zone": "Europe/Berlin",
        "price": {"amount_minor": 12345, "currency": "EUR"}}), customer_id="c")
    reader.wait("the placement", changes)
    send(provider, "provider-actions", ("booking.ConfirmOrder", {}), provider_id="p")
    reader.wait("the request for payment", lambda: reader.of("payment-instructions", key))
    send(gateway, "gateway-callbacks", ("booking.PaymentCaptured", {
        "gateway": "bank", "payment_id": "1", "amount": {"amount_minor": 12345, "currency": "EUR"}}))
    reader.wait("EXECUTION", lambda: changes() and changes()[-1]["to"] == "EXECUTION")
    assert [change["sequence"] for change in changes()] == [1, 2, 3]
    assert changes()[-1]["order"]["ledger"]["captured_minor"] == 12345
    assert reader.of("payment-instructions", key)[0].value["instruction"]["amount"] == {"amount_minor": 12345, "currency": "EUR"}


def test_the_registry_has_the_schemas_as_the_files_say(world, registry):
    world.worker(registry={"url": world.servers.registry}).wait_ready()
    subject = world.prefix + "stage-changed-value"
    text = until("the schema", lambda: subject in registry.get_subjects() and registry.get_latest_version(subject).schema.schema_str)
    assert json.loads(text) == json.loads((SCHEMA_DIRECTORY / "stage-changed.avsc").read_text(encoding="utf-8"))


def test_an_unknown_schema_id_is_a_dead_letter_and_the_next_record_goes_on(world, registry):
    reader, order = world.reader(decode=lambda suffix, data: data), Actor(world)
    world.worker(registry={"url": world.servers.registry}).wait_ready()
    _, data = order.encode("provider-actions", "ConfirmOrder")
    world.upstream.send("provider-actions", order.key, b"\x00\x7f\xff\xff\x00" + data[10:])
    world.upstream.flush()
    order.place()
    reader.wait("the placement", lambda: reader.of("stage-changed", order.key), 60)
    reader.wait("the dead letter", lambda: reader.of("dead-letters", order.key), 60)


def test_single_object_encoding_by_fastavro_works_both_ways(world):
    reader, order = world.reader(), Actor(world, price=4200)
    world.worker().wait_ready()
    cause = order.place(comment="Grüße, 你好")
    change = reader.wait("the placement", lambda: reader.of("stage-changed", order.key))[0]
    assert change.raw.startswith(SCHEMAS["stage-changed"].prefix)
    assert change.value["order"]["terms"]["comment"] == "Grüße, 你好" and change.value["caused_by"] == cause
    assert change.key == order.key and uuid.UUID(change.value["event_id"]).version == 5
    assert change.headers["ce_id"] == change.value["event_id"] and change.headers["ce_specversion"] == "1.0"


def test_trace_context_is_carried_to_everything_that_an_input_causes(world):
    reader, order = world.reader(), Actor(world)
    world.worker().wait_ready()
    order.place()
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    order.provider("ConfirmOrder", headers=[("traceparent", trace.encode()), ("tracestate", b"shop=1")])

    def caused():
        return [record for record in reader.by_order.get(order.key, ()) if record.value["sequence"] == 2]

    reader.wait("what it causes, on three topics", lambda: len(caused()) == 3)
    reader.read_to_the_end()
    assert len(caused()) == 3
    assert all(record.headers["traceparent"] == trace and record.headers["tracestate"] == "shop=1" for record in caused())


def test_a_registry_outage_stops_nothing_whose_schema_is_known(world, servers, registry):
    from world import server  # pylint: disable=import-outside-toplevel
    reader = world.reader(decode=lambda suffix, data: data)
    worker = world.worker(registry={"url": world.servers.registry}).wait_ready()
    producer, key, now = producer_for(world, registry, "customer-actions"), new_id(), int(time.time() * 1000)

    def send(order, action):
        producer.produce(world.prefix + "customer-actions", order, {
            "event_id": new_id(), "order_id": order, "occurred_at": now, "action": action, "customer_id": "c"})
        assert producer.flush(30) == 0

    place = ("booking.PlaceOrder", {"customer_id": "c", "provider_id": "p", "start": now + 48 * HOUR, "end": now + 49 * HOUR,
                                    "zone": "Europe/Berlin", "price": {"amount_minor": 100, "currency": "EUR"}})
    send(key, place)
    reader.wait("the first placement", lambda: reader.of("stage-changed", key))
    server("kill", "registry", servers.directory)
    try:
        send(key, ("booking.CancelOrder", {"reason": "no more"}))
        reader.wait("the cancellation", lambda: len(reader.of("stage-changed", key)) == 2)
        assert worker.is_running()
    finally:
        server("start", "registry", servers.directory)
