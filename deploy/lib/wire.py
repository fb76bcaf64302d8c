"""The records of the contract as other services write and read them: Avro single-object encoding by fastavro, with the
schemas of schemas/*.avsc. No line of the worker's own code takes part."""
import io
import json
import pathlib
import uuid

import fastavro
from fastavro.schema import fingerprint, to_parsing_canonical_form

SCHEMA_DIRECTORY = pathlib.Path(__file__).resolve().parents[2] / "schemas"
MARKER = b"\xc3\x01"


def without_logical_types(schema):
    """The same schema with instants as plain milliseconds and ids as plain text: what tests compare most easily."""
    if isinstance(schema, dict):
        return {name: without_logical_types(part) for name, part in schema.items() if name != "logicalType"}
    return [without_logical_types(part) for part in schema] if isinstance(schema, list) else schema


class Schema:
    """One .avsc file: its text, its parsed form and the ten bytes that single-object encoding puts before a value."""

    def __init__(self, path):
        self.text = path.read_text(encoding="utf-8")
        self.json = json.loads(self.text)
        self.parsed = fastavro.parse_schema(without_logical_types(self.json))
        canonical = to_parsing_canonical_form(self.json)
        self.prefix = MARKER + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))

    def encode(self, value):
        out = io.BytesIO(self.prefix)
        out.seek(len(self.prefix))
        fastavro.schemaless_writer(out, self.parsed, value)
        return out.getvalue()

    def decode(self, data):
        if not data.startswith(self.prefix):
            raise ValueError(f"these are not the bytes of {self.json['name']}: {data[:10].hex()}")
        rest = io.BytesIO(data[len(self.prefix):])
        value = fastavro.schemaless_reader(rest, self.parsed, None, return_record_name=True,
                                             return_record_name_override=True)
        if rest.read(1):
            raise ValueError("bytes are left over")
        return value


def load_schemas(directory=SCHEMA_DIRECTORY):
    """{"customer-actions": Schema, …}"""
    return {path.stem: Schema(path) for path in sorted(directory.glob("*.avsc"))}


def new_id():
    return str(uuid.uuid4())


def murmur2_partition(key, count):
    """The partition of a key as the JVM's default partitioner has it (to put records on a wrong one, knowingly)."""
    data, mask = key.encode(), 0xFFFFFFFF
    multiplier, length = 0x5BD1E995, len(data)
    value = 0x9747B28C ^ length
    for index in range(0, length - length % 4, 4):
        word = int.from_bytes(data[index:index + 4], "little")
        word = word * multiplier & mask
        word ^= word >> 24
        value = (value * multiplier & mask) ^ (word * multiplier & mask)
    tail = data[length - length % 4:]
    if tail:
        value = (value ^ int.from_bytes(tail, "little")) * multiplier & mask
    value ^= value >> 13
    value = value * multiplier & mask
    value ^= value >> 15
    return (value & 0x7FFFFFFF) % count
