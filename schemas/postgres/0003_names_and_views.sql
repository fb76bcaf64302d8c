-- Names for codes, and the views that other services and people read. Views may gain columns; none is ever taken away.
SET LOCAL ROLE booking_owner;

CREATE FUNCTION booking.stage_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['NONE', 'CONFIRMATION', 'PAYMENT', 'EXECUTION', 'EXECUTION_CONFIRMATION', 'CLOSED', 'CANCELLED'])[code + 1]
$$;
COMMENT ON FUNCTION booking.stage_name(smallint) IS 'A stage''s name. NONE: no order came to exist.';

CREATE FUNCTION booking.party_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['none', 'customer', 'provider', 'operator', 'gateway', 'timer'])[code + 1]
$$;
COMMENT ON FUNCTION booking.party_name(smallint) IS 'A party''s name.';

CREATE FUNCTION booking.outcome_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['applied', 'rejected', 'duplicate', 'dead_letter', 'reminded'])[code + 1]
$$;
COMMENT ON FUNCTION booking.outcome_name(smallint) IS 'An outcome''s name.';

CREATE FUNCTION booking.deadline_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['CONFIRMATION', 'PAYMENT', 'PROPOSAL', 'TOPUP', 'REQUEST', 'EXECUTION', 'DONE', 'ACCEPTANCE', 'PAYOUT'])[code + 1]
$$;
COMMENT ON FUNCTION booking.deadline_name(smallint) IS 'A deadline''s name.';

CREATE FUNCTION booking.proposal_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['none', 'pending', 'awaiting_topup'])[code + 1]
$$;
COMMENT ON FUNCTION booking.proposal_name(smallint) IS 'The name of a proposal''s state.';

CREATE FUNCTION booking.claim_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['none', 'kept', 'open'])[code + 1]
$$;
COMMENT ON FUNCTION booking.claim_name(smallint) IS 'The name of a claim''s state. kept: it opens when the appointment is to be confirmed.';

CREATE FUNCTION booking.topic_name(code smallint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (ARRAY['customer-actions', 'provider-actions', 'gateway-callbacks', 'operator-actions', 'rerouted'])[code + 1]
$$;
COMMENT ON FUNCTION booking.topic_name(smallint) IS 'An input topic''s name without its configured prefix.';

CREATE VIEW booking.order_overview AS
SELECT order_id, booking.stage_name(stage) AS stage, stage_since, customer_id, provider_id, market, starts_at, ends_at, zone,
       price_minor, currency, comment, revision, nullif(booking.party_name(turn), 'none') AS turn,
       booking.deadline_name(deadline) AS deadline, deadline_at, next_due_at,
       booking.proposal_name(proposal) AS proposal, proposed_starts_at, proposed_ends_at, proposed_price_minor,
       request_pending AS cancellation_requested, booking.claim_name(claim) AS claim, payout_held,
       captured_minor, reversed_minor, refund_instructed_minor, refund_completed_minor, payout_instructed_minor,
       payout_completed_minor,
       captured_minor - reversed_minor - refund_instructed_minor - payout_instructed_minor AS balance_minor,
       sequence, placed_at, updated_at, lane
  FROM booking.orders;
COMMENT ON VIEW booking.order_overview IS 'One row per order with names instead of codes. Look-ups by order_id are cheap; anything else reads all orders.';

CREATE VIEW booking.order_timeline AS
SELECT order_id, sequence, recorded_at, line, happened_at, occurred_at, booking.outcome_name(outcome) AS outcome,
       booking.party_name(actor) AS actor, actor_id, kind, rule, reason, note,
       nullif(booking.stage_name(from_stage), 'NONE') AS from_stage, nullif(booking.stage_name(to_stage), 'NONE') AS to_stage,
       event_id, booking.topic_name(topic) AS topic, partition, source_offset, lane, lane_seq
  FROM booking.order_history;
COMMENT ON VIEW booking.order_timeline IS 'What happened, with names instead of codes. One order''s life: WHERE order_id = ... ORDER BY sequence, recorded_at, line.';

CREATE VIEW booking.payouts_due AS
SELECT order_id, provider_id, market, payout_instructed_minor - payout_completed_minor AS outstanding_minor, currency,
       stage_since AS closed_at, next_due_at AS alert_at, next_due_at IS NULL OR next_due_at < now() AS is_overdue
  FROM booking.orders
 WHERE payout_instructed_minor > payout_completed_minor;
COMMENT ON VIEW booking.payouts_due IS 'Payouts that were instructed and are not reported as completed.';

CREATE VIEW booking.claims_open AS
SELECT order_id, customer_id, provider_id, booking.claim_name(claim) AS claim, booking.stage_name(stage) AS stage, stage_since,
       captured_minor - reversed_minor - refund_instructed_minor - payout_instructed_minor AS balance_minor, currency
  FROM booking.orders
 WHERE claim <> 0;
COMMENT ON VIEW booking.claims_open IS 'Orders with a claim that waits to be resolved, or is kept until the appointment is to be confirmed.';

CREATE VIEW booking.deadlines_overdue AS
SELECT order_id, booking.stage_name(stage) AS stage, next_due_at, now() - next_due_at AS overdue_by, lane
  FROM booking.orders
 WHERE next_due_at < now();
COMMENT ON VIEW booking.deadlines_overdue IS
    'Orders whose next deadline or reminder has passed by the clock and was not acted on: the worker is away, the lane is halted or not yet read that far.';

CREATE VIEW booking.lanes_overview AS
SELECT lane, halted_at IS NOT NULL AS is_halted, halt_reason, epoch, taken_at, seq, w_seen, seq - w_seen AS batches_not_seen_emitted,
       updated_at
  FROM booking.lanes;
COMMENT ON VIEW booking.lanes_overview IS 'How the lanes stand.';

CREATE VIEW booking.dead_letters AS
SELECT recorded_at, booking.topic_name(topic) AS topic, partition, source_offset, order_id, event_id, kind, rule, reason, note, lane, lane_seq
  FROM booking.order_history
 WHERE outcome = 3;
COMMENT ON VIEW booking.dead_letters IS 'Records that could not be decoded or name no order, with what is wrong; the bytes are on the topic dead-letters.';

COMMENT ON COLUMN booking.order_overview.order_id IS 'The order.';
COMMENT ON COLUMN booking.order_overview.stage IS 'Its stage.';
COMMENT ON COLUMN booking.order_overview.stage_since IS 'When it entered its stage.';
COMMENT ON COLUMN booking.order_overview.customer_id IS 'The customer.';
COMMENT ON COLUMN booking.order_overview.provider_id IS 'The provider.';
COMMENT ON COLUMN booking.order_overview.market IS 'The policy that it was placed under.';
COMMENT ON COLUMN booking.order_overview.starts_at IS 'Start of the appointment.';
COMMENT ON COLUMN booking.order_overview.ends_at IS 'End of the appointment.';
COMMENT ON COLUMN booking.order_overview.zone IS 'IANA time zone of the appointment.';
COMMENT ON COLUMN booking.order_overview.price_minor IS 'Price in minor units.';
COMMENT ON COLUMN booking.order_overview.currency IS 'ISO 4217 code of all amounts.';
COMMENT ON COLUMN booking.order_overview.comment IS 'Comment of the terms.';
COMMENT ON COLUMN booking.order_overview.revision IS 'Revision of the terms.';
COMMENT ON COLUMN booking.order_overview.turn IS 'CONFIRMATION: who is to confirm.';
COMMENT ON COLUMN booking.order_overview.deadline IS 'The deadline that the stage''s person was told.';
COMMENT ON COLUMN booking.order_overview.deadline_at IS 'That deadline.';
COMMENT ON COLUMN booking.order_overview.next_due_at IS 'When the worker will next act on its own, graces included.';
COMMENT ON COLUMN booking.order_overview.proposal IS 'none, pending or awaiting_topup.';
COMMENT ON COLUMN booking.order_overview.proposed_starts_at IS 'Start that the proposal asks for.';
COMMENT ON COLUMN booking.order_overview.proposed_ends_at IS 'End that the proposal asks for.';
COMMENT ON COLUMN booking.order_overview.proposed_price_minor IS 'Price that the proposal asks for.';
COMMENT ON COLUMN booking.order_overview.cancellation_requested IS 'The customer asked for a late cancellation and was not answered yet.';
COMMENT ON COLUMN booking.order_overview.claim IS 'none, kept or open.';
COMMENT ON COLUMN booking.order_overview.payout_held IS 'A chargeback holds the payout.';
COMMENT ON COLUMN booking.order_overview.captured_minor IS 'Captured from the customer.';
COMMENT ON COLUMN booking.order_overview.reversed_minor IS 'Taken back by chargebacks.';
COMMENT ON COLUMN booking.order_overview.refund_instructed_minor IS 'Refunds instructed.';
COMMENT ON COLUMN booking.order_overview.refund_completed_minor IS 'Refunds completed.';
COMMENT ON COLUMN booking.order_overview.payout_instructed_minor IS 'Payouts instructed.';
COMMENT ON COLUMN booking.order_overview.payout_completed_minor IS 'Payouts completed.';
COMMENT ON COLUMN booking.order_overview.balance_minor IS 'Captured less reversed, refunded and paid out (as instructed); negative is exposure.';
COMMENT ON COLUMN booking.order_overview.sequence IS 'How many events and deadlines were applied.';
COMMENT ON COLUMN booking.order_overview.placed_at IS 'When it was placed.';
COMMENT ON COLUMN booking.order_overview.updated_at IS 'When the row was last written.';
COMMENT ON COLUMN booking.order_overview.lane IS 'The lane that writes it.';

COMMENT ON COLUMN booking.order_timeline.order_id IS 'The order; null for a record that names none.';
COMMENT ON COLUMN booking.order_timeline.sequence IS 'The order''s sequence right after.';
COMMENT ON COLUMN booking.order_timeline.recorded_at IS 'When its batch was written.';
COMMENT ON COLUMN booking.order_timeline.line IS 'Its place in the batch.';
COMMENT ON COLUMN booking.order_timeline.happened_at IS 'When it counts.';
COMMENT ON COLUMN booking.order_timeline.occurred_at IS 'What the record said.';
COMMENT ON COLUMN booking.order_timeline.outcome IS 'applied, rejected, duplicate, dead_letter or reminded.';
COMMENT ON COLUMN booking.order_timeline.actor IS 'Who acted.';
COMMENT ON COLUMN booking.order_timeline.actor_id IS 'The id of who acted.';
COMMENT ON COLUMN booking.order_timeline.kind IS 'The action''s or the deadline''s name.';
COMMENT ON COLUMN booking.order_timeline.rule IS 'The rule that decided.';
COMMENT ON COLUMN booking.order_timeline.reason IS 'Why it was refused (reason code).';
COMMENT ON COLUMN booking.order_timeline.note IS 'The person''s own reason, or what is wrong with a dead letter.';
COMMENT ON COLUMN booking.order_timeline.from_stage IS 'Stage before.';
COMMENT ON COLUMN booking.order_timeline.to_stage IS 'Stage after.';
COMMENT ON COLUMN booking.order_timeline.event_id IS 'The input''s event id.';
COMMENT ON COLUMN booking.order_timeline.topic IS 'Input topic without its prefix; null for a deadline or reminder.';
COMMENT ON COLUMN booking.order_timeline.partition IS 'Partition of the input record.';
COMMENT ON COLUMN booking.order_timeline.source_offset IS 'Offset of the input record.';
COMMENT ON COLUMN booking.order_timeline.lane IS 'The lane that wrote it.';
COMMENT ON COLUMN booking.order_timeline.lane_seq IS 'Outbox batch with what it emitted; 0 = nothing.';

COMMENT ON COLUMN booking.payouts_due.order_id IS 'The order.';
COMMENT ON COLUMN booking.payouts_due.provider_id IS 'Who is to be paid.';
COMMENT ON COLUMN booking.payouts_due.market IS 'The order''s policy.';
COMMENT ON COLUMN booking.payouts_due.outstanding_minor IS 'Instructed and not completed, in minor units.';
COMMENT ON COLUMN booking.payouts_due.currency IS 'ISO 4217 code.';
COMMENT ON COLUMN booking.payouts_due.closed_at IS 'When the order was closed.';
COMMENT ON COLUMN booking.payouts_due.alert_at IS 'When the overdue alert goes out (arrival grace included); null = it went out.';
COMMENT ON COLUMN booking.payouts_due.is_overdue IS 'The payout is late.';

COMMENT ON COLUMN booking.claims_open.order_id IS 'The order.';
COMMENT ON COLUMN booking.claims_open.customer_id IS 'Who claims.';
COMMENT ON COLUMN booking.claims_open.provider_id IS 'Against whom.';
COMMENT ON COLUMN booking.claims_open.claim IS 'kept or open.';
COMMENT ON COLUMN booking.claims_open.stage IS 'The order''s stage.';
COMMENT ON COLUMN booking.claims_open.stage_since IS 'When it entered its stage.';
COMMENT ON COLUMN booking.claims_open.balance_minor IS 'What a resolution can refund at most, in minor units.';
COMMENT ON COLUMN booking.claims_open.currency IS 'ISO 4217 code.';

COMMENT ON COLUMN booking.deadlines_overdue.order_id IS 'The order.';
COMMENT ON COLUMN booking.deadlines_overdue.stage IS 'Its stage.';
COMMENT ON COLUMN booking.deadlines_overdue.next_due_at IS 'When the worker should have acted.';
COMMENT ON COLUMN booking.deadlines_overdue.overdue_by IS 'How long ago that was.';
COMMENT ON COLUMN booking.deadlines_overdue.lane IS 'The lane that should have acted.';

COMMENT ON COLUMN booking.lanes_overview.lane IS 'Partition index.';
COMMENT ON COLUMN booking.lanes_overview.is_halted IS 'It waits for an operator.';
COMMENT ON COLUMN booking.lanes_overview.halt_reason IS 'Why.';
COMMENT ON COLUMN booking.lanes_overview.epoch IS 'Number of takeovers.';
COMMENT ON COLUMN booking.lanes_overview.taken_at IS 'When it was last taken.';
COMMENT ON COLUMN booking.lanes_overview.seq IS 'Last outbox batch.';
COMMENT ON COLUMN booking.lanes_overview.w_seen IS 'Newest batch known to be emitted when the row was last written.';
COMMENT ON COLUMN booking.lanes_overview.batches_not_seen_emitted IS 'How many batches lie between.';
COMMENT ON COLUMN booking.lanes_overview.updated_at IS 'When the row was last written.';

COMMENT ON COLUMN booking.dead_letters.recorded_at IS 'When its batch was written.';
COMMENT ON COLUMN booking.dead_letters.topic IS 'Input topic without its prefix.';
COMMENT ON COLUMN booking.dead_letters.partition IS 'Partition of the record.';
COMMENT ON COLUMN booking.dead_letters.source_offset IS 'Offset of the record.';
COMMENT ON COLUMN booking.dead_letters.order_id IS 'The order that it names; null = none.';
COMMENT ON COLUMN booking.dead_letters.event_id IS 'Its event id; null = it could not be decoded.';
COMMENT ON COLUMN booking.dead_letters.kind IS 'What it asked for, where it could be decoded.';
COMMENT ON COLUMN booking.dead_letters.rule IS 'The rule that made it a dead letter.';
COMMENT ON COLUMN booking.dead_letters.reason IS 'Reason code.';
COMMENT ON COLUMN booking.dead_letters.note IS 'What is wrong with it.';
COMMENT ON COLUMN booking.dead_letters.lane IS 'The lane that wrote it.';
COMMENT ON COLUMN booking.dead_letters.lane_seq IS 'Outbox batch with the dead letter.';

-- The owner grants these views to whom it wants: GRANT USAGE ON SCHEMA booking TO someone; GRANT SELECT ON booking.order_overview TO someone;
GRANT SELECT ON booking.order_overview, booking.order_timeline, booking.payouts_due, booking.claims_open, booking.deadlines_overdue,
    booking.lanes_overview, booking.dead_letters TO booking_worker;
