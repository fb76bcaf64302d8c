"""The people and services around one order, for the demo: customer, provider, back office, and a payment service that answers
instructions as a real one would."""
import threading
import time

from wire import new_id

ACTORS = {"customer-actions": "customer_id", "provider-actions": "provider_id", "operator-actions": "operator_id"}


def now_ms():
    return int(time.time() * 1000)


class WrongOutcome(Exception):
    """The process did not do what the story says it must."""


class Town:
    """The topics as other services see them."""

    def __init__(self, upstream, reader, schemas):
        self.upstream, self.reader, self.schemas = upstream, reader, schemas
        self.lock = threading.Lock()

    def send(self, suffix, key, action, **fields):
        value = {"event_id": new_id(), "order_id": key, "occurred_at": now_ms(), "action": ("booking." + action, fields)}
        if suffix in ACTORS:
            value[ACTORS[suffix]] = ACTORS[suffix].removesuffix("_id") + "-of-the-demo"
        self.send_bytes(suffix, key, self.schemas[suffix].encode(value))

    def send_bytes(self, suffix, key, data):
        with self.lock:
            self.upstream.send(suffix, key, data)
            self.upstream.flush()


class Story:
    """One order and what is known of it from the output topics."""

    def __init__(self, town, title, price=8000):
        self.town, self.title, self.key, self.price = town, title, new_id(), price
        self.start_ms = self.end_ms = 0

    # --- what people do ---
    def place(self, starts_in_s, lasts_s):
        self.start_ms = now_ms() + int(starts_in_s * 1000)
        self.end_ms = self.start_ms + int(lasts_s * 1000)
        self.customer("PlaceOrder", customer_id="customer-of-the-demo", provider_id="provider-of-the-demo", start=self.start_ms,
                      end=self.end_ms, zone="Europe/Berlin", price=self.euros(self.price), comment=self.title)
        self.stage("CONFIRMATION")

    def customer(self, action, **fields):
        self.town.send("customer-actions", self.key, action, **fields)

    def provider(self, action, **fields):
        self.town.send("provider-actions", self.key, action, **fields)

    def operator(self, action, **fields):
        self.town.send("operator-actions", self.key, action, **fields)

    def gateway(self, action, **fields):
        self.town.send("gateway-callbacks", self.key, action, **fields)

    def pay_what_is_asked(self, count=1):
        """The customer pays the count-th request for payment."""
        request = self.wait(f"request for payment {count}", lambda: self.instructions("RequestPayment")[count - 1:count])[0]
        self.gateway("PaymentCaptured", gateway="demo-bank", payment_id=request["instruction_id"], amount=request["amount"])

    def reports_done(self, kind):
        """The payment service carries out the refund or the payout and reports it."""
        for instruction in self.wait(f"instruction {kind}", lambda: self.instructions(kind)):
            self.gateway(f"{kind}Completed", instruction_id=instruction["instruction_id"], amount=instruction["amount"])

    # --- what can be seen ---
    def changes(self):
        return [record.value for record in self.town.reader.of("stage-changed", self.key)]

    def instructions(self, kind):
        return [record.value["instruction"][1] for record in self.town.reader.of("payment-instructions", self.key)
                if record.value["instruction"][0] == "booking." + kind]

    def notices(self, who):
        return [record.value["kind"] for record in self.town.reader.of(f"{who}-notifications", self.key)]

    def wait(self, what, find, seconds=30):
        try:
            return self.town.reader.wait(what, find, seconds)
        except AssertionError as error:
            stages = [f"{change['to']} ({change['rule']})" for change in self.changes()]
            rejections = [f"{record.value['action']}: {record.value['rule']} {record.value['reason']}"
                          for record in self.town.reader.of("rejections", self.key)]
            raise WrongOutcome(f"{error}; so far: {', '.join(stages) or 'nothing'}; refused: {', '.join(rejections) or 'nothing'}") \
                from None

    def stage(self, stage, rule=None, seconds=30):
        """Waits until the order has come to this stage (by this rule); returns that change."""
        return self.wait(f"{stage}{' by rule ' + rule if rule else ''}", lambda: next(
            (change for change in self.changes() if change["to"] == stage and rule in (None, change["rule"])), None), seconds)

    def event(self, cause, seconds=30):
        """Waits until something of that name has happened to the order; returns that change."""
        return self.wait(cause, lambda: next((change for change in self.changes() if change["cause"] == cause), None), seconds)

    def told(self, who, kind, seconds=30):
        self.wait(f"the {who}'s notice {kind}", lambda: kind in self.notices(who), seconds)

    def until_start(self):
        """The appointment begins when the clock says so."""
        time.sleep(max(0.0, self.start_ms / 1000 - time.time()) + 0.01)

    def expect(self, what, is_so):
        if not is_so:
            raise WrongOutcome(what)

    def euros(self, minor):
        return {"amount_minor": minor, "currency": "EUR"}
