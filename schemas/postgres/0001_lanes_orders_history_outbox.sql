-- The first schema: lanes, orders, their history, the outbox, and who may do what.
--
-- Applied by `booking-worker migrate` in one transaction. Everything belongs to booking_owner; the worker's login is a member
-- of booking_worker, which can neither create, drop, delete nor truncate. Codes (smallint) are turned into names by the
-- functions and views of 0003.

-- Roles belong to the whole cluster, so they may be there already.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['booking_owner', 'booking_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
            EXCEPTION
                WHEN duplicate_object OR unique_violation THEN
                    NULL; -- the migration of another database made it at the same moment
                WHEN insufficient_privilege THEN
                    RAISE EXCEPTION 'role % does not exist and % may not create it', wanted, current_user USING
                        ERRCODE = 'insufficient_privilege',
                        HINT = format('Ask an administrator to run: CREATE ROLE booking_owner NOLOGIN; '
                                      'CREATE ROLE booking_worker NOLOGIN; GRANT booking_owner TO %I;', current_user);
            END;
        END IF;
    END LOOP;
    IF NOT pg_has_role(current_user, 'booking_owner', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT booking_owner TO %I', current_user);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION '% is not a member of booking_owner', current_user USING
                    ERRCODE = 'insufficient_privilege',
                    HINT = format('Ask an administrator to run: GRANT booking_owner TO %I;', current_user);
        END;
    END IF;
END
$$;

CREATE SCHEMA booking AUTHORIZATION booking_owner;
SET LOCAL ROLE booking_owner;

COMMENT ON SCHEMA booking IS
    'Pre-paid orders: their state, history and outgoing events. Written only by booking-worker; other services read the views.';

CREATE TABLE booking.migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE booking.migrations IS 'Which migrations were applied. A program that does not know all of them refuses to work.';
COMMENT ON COLUMN booking.migrations.version IS 'The number that the file name begins with.';
COMMENT ON COLUMN booking.migrations.name IS 'The file name.';
COMMENT ON COLUMN booking.migrations.checksum IS 'SHA-256 of the file, in hexadecimal: an applied migration must not be edited.';
COMMENT ON COLUMN booking.migrations.applied_at IS 'When it was applied.';
COMMENT ON COLUMN booking.migrations.applied_by IS 'The login that applied it.';

-- One row per partition index of the input topics. It is updated by every batch: room in the page keeps that cheap.
CREATE TABLE booking.lanes (
    lane              integer PRIMARY KEY,
    epoch             bigint NOT NULL DEFAULT 0,
    seq               bigint NOT NULL DEFAULT 0,
    w_seen            bigint NOT NULL DEFAULT 0,
    customer_actions  bigint NOT NULL DEFAULT -2,
    provider_actions  bigint NOT NULL DEFAULT -2,
    gateway_callbacks bigint NOT NULL DEFAULT -2,
    operator_actions  bigint NOT NULL DEFAULT -2,
    rerouted          bigint NOT NULL DEFAULT -2,
    updated_at        timestamptz NOT NULL DEFAULT now(),
    taken_at          timestamptz,
    halted_at         timestamptz,
    halt_reason       text
) WITH (fillfactor = 20);
COMMENT ON TABLE booking.lanes IS
    'One row per lane (partition index of all input topics): who may write, and how far it has been read. Offsets are the next to be read; -2 means the oldest there is.';
COMMENT ON COLUMN booking.lanes.lane IS 'Partition index.';
COMMENT ON COLUMN booking.lanes.epoch IS 'Raised by everyone who takes the lane; only the holder of the newest epoch can write.';
COMMENT ON COLUMN booking.lanes.seq IS 'Number of the last outbox batch of this lane; 0 = none yet.';
COMMENT ON COLUMN booking.lanes.w_seen IS 'Newest outbox batch that was known to be emitted to Kafka when the row was last written.';
COMMENT ON COLUMN booking.lanes.customer_actions IS 'Next offset of the topic customer-actions.';
COMMENT ON COLUMN booking.lanes.provider_actions IS 'Next offset of the topic provider-actions.';
COMMENT ON COLUMN booking.lanes.gateway_callbacks IS 'Next offset of the topic gateway-callbacks.';
COMMENT ON COLUMN booking.lanes.operator_actions IS 'Next offset of the topic operator-actions.';
COMMENT ON COLUMN booking.lanes.rerouted IS 'Next offset of the topic rerouted.';
COMMENT ON COLUMN booking.lanes.updated_at IS 'When a batch, a takeover or a halt last changed the row.';
COMMENT ON COLUMN booking.lanes.taken_at IS 'When the newest epoch began.';
COMMENT ON COLUMN booking.lanes.halted_at IS 'When the lane was halted; null = it is not. A halted lane waits for an operator.';
COMMENT ON COLUMN booking.lanes.halt_reason IS 'Why it was halted, and what an operator can do.';

-- The primary key is the only index, and no indexed column ever changes: so an update stays inside its page (HOT).
CREATE TABLE booking.orders (
    order_id                uuid PRIMARY KEY,
    sequence                bigint NOT NULL,
    placed_at               timestamptz NOT NULL,
    stage_since             timestamptz NOT NULL,
    updated_at              timestamptz NOT NULL DEFAULT now(),
    starts_at               timestamptz NOT NULL,
    ends_at                 timestamptz NOT NULL,
    price_minor             bigint NOT NULL,
    captured_minor          bigint NOT NULL,
    reversed_minor          bigint NOT NULL,
    refund_instructed_minor bigint NOT NULL,
    refund_completed_minor  bigint NOT NULL,
    payout_instructed_minor bigint NOT NULL,
    payout_completed_minor  bigint NOT NULL,
    revision                integer NOT NULL,
    lane                    integer NOT NULL,
    stage                   smallint NOT NULL,
    turn                    smallint NOT NULL,
    proposal                smallint NOT NULL,
    claim                   smallint NOT NULL,
    request_pending         boolean NOT NULL,
    payout_held             boolean NOT NULL,
    deadline                smallint,
    deadline_at             timestamptz,
    next_due_at             timestamptz,
    proposed_starts_at      timestamptz,
    proposed_ends_at        timestamptz,
    proposed_price_minor    bigint,
    currency                text NOT NULL,
    zone                    text NOT NULL,
    market                  text NOT NULL,
    customer_id             text NOT NULL,
    provider_id             text NOT NULL,
    comment                 text,
    state                   bytea NOT NULL
) WITH (fillfactor = 80);
COMMENT ON TABLE booking.orders IS
    'One row per order as it stands now. `state` is what the worker decides from; the typed columns are derived from it at every write, for people and for other services.';
COMMENT ON COLUMN booking.orders.order_id IS 'The order.';
COMMENT ON COLUMN booking.orders.sequence IS 'How many events and deadlines have been applied to it: 1, 2, 3 ... without a gap.';
COMMENT ON COLUMN booking.orders.placed_at IS 'When it was placed.';
COMMENT ON COLUMN booking.orders.stage_since IS 'When it entered its stage.';
COMMENT ON COLUMN booking.orders.updated_at IS 'When this row was last written (the database''s clock).';
COMMENT ON COLUMN booking.orders.starts_at IS 'Start of the appointment: on the table in CONFIRMATION, in force afterwards.';
COMMENT ON COLUMN booking.orders.ends_at IS 'End of the appointment.';
COMMENT ON COLUMN booking.orders.price_minor IS 'Price in minor units of `currency`.';
COMMENT ON COLUMN booking.orders.captured_minor IS 'Ledger: captured from the customer.';
COMMENT ON COLUMN booking.orders.reversed_minor IS 'Ledger: taken back by chargebacks.';
COMMENT ON COLUMN booking.orders.refund_instructed_minor IS 'Ledger: refunds that the payment service was told to make.';
COMMENT ON COLUMN booking.orders.refund_completed_minor IS 'Ledger: refunds that it reported as completed.';
COMMENT ON COLUMN booking.orders.payout_instructed_minor IS 'Ledger: payouts that the payment service was told to make.';
COMMENT ON COLUMN booking.orders.payout_completed_minor IS 'Ledger: payouts that it reported as completed.';
COMMENT ON COLUMN booking.orders.revision IS 'Revision of the terms above.';
COMMENT ON COLUMN booking.orders.lane IS 'The lane that writes this order: murmur2(order id) modulo the number of partitions.';
COMMENT ON COLUMN booking.orders.stage IS 'Code of the stage, see booking.stage_name().';
COMMENT ON COLUMN booking.orders.turn IS 'CONFIRMATION: code of the party that is to confirm, see booking.party_name(); else 0.';
COMMENT ON COLUMN booking.orders.proposal IS 'Code of the pending proposal''s state, see booking.proposal_name().';
COMMENT ON COLUMN booking.orders.claim IS 'Code of the claim''s state, see booking.claim_name().';
COMMENT ON COLUMN booking.orders.request_pending IS 'The customer has asked for a late cancellation and was not answered yet.';
COMMENT ON COLUMN booking.orders.payout_held IS 'A chargeback holds the payout until an operator releases it.';
COMMENT ON COLUMN booking.orders.deadline IS 'Code of the deadline that the stage''s person was told, see booking.deadline_name(); null = none runs.';
COMMENT ON COLUMN booking.orders.deadline_at IS 'That deadline.';
COMMENT ON COLUMN booking.orders.next_due_at IS 'When the worker will next act on its own (deadline or reminder), graces included; null = never.';
COMMENT ON COLUMN booking.orders.proposed_starts_at IS 'Start that the pending proposal asks for.';
COMMENT ON COLUMN booking.orders.proposed_ends_at IS 'End that the pending proposal asks for.';
COMMENT ON COLUMN booking.orders.proposed_price_minor IS 'Price that the pending proposal asks for.';
COMMENT ON COLUMN booking.orders.currency IS 'ISO 4217 code of all amounts of this row.';
COMMENT ON COLUMN booking.orders.zone IS 'IANA time zone of the appointment.';
COMMENT ON COLUMN booking.orders.market IS 'The policy that it was placed under: its market''s, or default.';
COMMENT ON COLUMN booking.orders.customer_id IS 'The customer.';
COMMENT ON COLUMN booking.orders.provider_id IS 'The provider.';
COMMENT ON COLUMN booking.orders.comment IS 'Comment of the terms above.';
COMMENT ON COLUMN booking.orders.state IS 'The whole order as the worker keeps it (versioned binary form).';

CREATE TABLE booking.refused_placements (
    order_id   uuid PRIMARY KEY,
    lane       integer NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    state      bytea NOT NULL
);
COMMENT ON TABLE booking.refused_placements IS
    'What is remembered of placements that were refused where no order came to exist, so that a repetition is recognised.';
COMMENT ON COLUMN booking.refused_placements.order_id IS 'The order id that the placement named. It may have been placed properly later.';
COMMENT ON COLUMN booking.refused_placements.lane IS 'The lane that it came in.';
COMMENT ON COLUMN booking.refused_placements.updated_at IS 'When it was last refused.';
COMMENT ON COLUMN booking.refused_placements.state IS 'The event ids that were seen (the worker''s binary form of an order without a stage).';

-- Append-only, a row per outcome; dropped by partition (booking.drop_partitions).
CREATE TABLE booking.order_history (
    recorded_at   timestamptz NOT NULL DEFAULT now(),
    order_id      uuid,
    event_id      uuid,
    lane_seq      bigint NOT NULL,
    sequence      bigint NOT NULL,
    happened_at   timestamptz,
    occurred_at   timestamptz,
    source_offset bigint,
    lane          integer NOT NULL,
    line          integer NOT NULL,
    partition     integer,
    topic         smallint,
    outcome       smallint NOT NULL,
    actor         smallint NOT NULL,
    from_stage    smallint NOT NULL,
    to_stage      smallint NOT NULL,
    kind          text,
    rule          text,
    reason        text,
    actor_id      text,
    note          text
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE booking.order_history IS
    'Every outcome of every event and deadline, append-only. One partition per month by recorded_at.';
COMMENT ON COLUMN booking.order_history.recorded_at IS 'When its batch was written; the same in all rows of a batch and in its outbox row.';
COMMENT ON COLUMN booking.order_history.order_id IS 'The order; null for a record that names none.';
COMMENT ON COLUMN booking.order_history.event_id IS 'The input''s event id; null for a deadline, a reminder, or a record that could not be decoded.';
COMMENT ON COLUMN booking.order_history.lane_seq IS 'Outbox batch (of this lane) with what it emitted; 0 = it emitted nothing.';
COMMENT ON COLUMN booking.order_history.sequence IS 'The order''s sequence right after.';
COMMENT ON COLUMN booking.order_history.happened_at IS 'When it counts: the action''s effective time, or the deadline itself.';
COMMENT ON COLUMN booking.order_history.occurred_at IS 'What the record said; null when it said nothing.';
COMMENT ON COLUMN booking.order_history.source_offset IS 'Offset of the input record.';
COMMENT ON COLUMN booking.order_history.lane IS 'The lane that wrote it.';
COMMENT ON COLUMN booking.order_history.line IS 'Its place in the batch.';
COMMENT ON COLUMN booking.order_history.partition IS 'Partition of the input record.';
COMMENT ON COLUMN booking.order_history.topic IS 'Code of the input topic, see booking.topic_name(); null for a deadline or reminder.';
COMMENT ON COLUMN booking.order_history.outcome IS 'Code of the outcome, see booking.outcome_name().';
COMMENT ON COLUMN booking.order_history.actor IS 'Code of who acted, see booking.party_name().';
COMMENT ON COLUMN booking.order_history.from_stage IS 'Stage before, see booking.stage_name().';
COMMENT ON COLUMN booking.order_history.to_stage IS 'Stage after; the same where it did not move.';
COMMENT ON COLUMN booking.order_history.kind IS 'What happened: the action''s record name, such as CancelOrder, or the deadline, such as ConfirmationDeadline.';
COMMENT ON COLUMN booking.order_history.rule IS 'The rule that decided.';
COMMENT ON COLUMN booking.order_history.reason IS 'Why it was refused (reason code).';
COMMENT ON COLUMN booking.order_history.actor_id IS 'The id of who acted.';
COMMENT ON COLUMN booking.order_history.note IS 'The person''s own reason, or what is wrong with a dead letter.';
CREATE INDEX order_history_order_id ON booking.order_history (order_id);

-- One row per batch and lane with all that it emits. The number (lane, seq) is given out by booking.advance_lanes(); each
-- partition has a unique index on it (booking.make_partition), a partitioned table as a whole cannot.
CREATE TABLE booking.outbox (
    recorded_at  timestamptz NOT NULL DEFAULT now(),
    seq          bigint NOT NULL,
    lane         integer NOT NULL,
    output_count integer NOT NULL,
    data         bytea NOT NULL
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE booking.outbox IS
    'Events on their way to Kafka: one row per batch and lane, append-only. One partition per week by recorded_at.';
COMMENT ON COLUMN booking.outbox.recorded_at IS 'When the batch was written.';
COMMENT ON COLUMN booking.outbox.seq IS 'Number of the batch in its lane: 1, 2, 3 ... without a gap.';
COMMENT ON COLUMN booking.outbox.lane IS 'The lane.';
COMMENT ON COLUMN booking.outbox.output_count IS 'How many records it holds.';
COMMENT ON COLUMN booking.outbox.data IS 'The encoded records (the worker''s binary form); `booking-worker show` reads it.';

-- lz4 costs a tenth of pglz; a server without it keeps outbox batches uncompressed.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_settings WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)) THEN
        ALTER TABLE booking.outbox ALTER COLUMN data SET COMPRESSION lz4;
        ALTER TABLE booking.orders ALTER COLUMN state SET COMPRESSION lz4;
    ELSE
        ALTER TABLE booking.outbox ALTER COLUMN data SET STORAGE EXTERNAL;
    END IF;
END
$$;

-- What the worker sends: one binary array of each of these per batch (the cheapest form that was measured).
CREATE TYPE booking.lane_advance AS (
    lane integer, epoch bigint, seq_before bigint, seq_after bigint, w bigint,
    customer_actions_before bigint, provider_actions_before bigint, gateway_callbacks_before bigint,
    operator_actions_before bigint, rerouted_before bigint,
    customer_actions_after bigint, provider_actions_after bigint, gateway_callbacks_after bigint,
    operator_actions_after bigint, rerouted_after bigint
);
COMMENT ON TYPE booking.lane_advance IS 'A step of one lane: what its row must hold, and what it holds afterwards.';

CREATE TYPE booking.order_change AS (
    order_id uuid, sequence bigint, stage_since timestamptz, starts_at timestamptz, ends_at timestamptz, price_minor bigint,
    captured_minor bigint, reversed_minor bigint, refund_instructed_minor bigint, refund_completed_minor bigint,
    payout_instructed_minor bigint, payout_completed_minor bigint, revision integer, stage smallint, turn smallint,
    proposal smallint, claim smallint, request_pending boolean, payout_held boolean, deadline smallint,
    deadline_at timestamptz, next_due_at timestamptz, proposed_starts_at timestamptz, proposed_ends_at timestamptz,
    proposed_price_minor bigint, comment text, state bytea
);
COMMENT ON TYPE booking.order_change IS 'The columns of booking.orders that may change after the placement.';

CREATE TYPE booking.order_placed AS (
    order_id uuid, sequence bigint, stage_since timestamptz, starts_at timestamptz, ends_at timestamptz, price_minor bigint,
    captured_minor bigint, reversed_minor bigint, refund_instructed_minor bigint, refund_completed_minor bigint,
    payout_instructed_minor bigint, payout_completed_minor bigint, revision integer, stage smallint, turn smallint,
    proposal smallint, claim smallint, request_pending boolean, payout_held boolean, deadline smallint,
    deadline_at timestamptz, next_due_at timestamptz, proposed_starts_at timestamptz, proposed_ends_at timestamptz,
    proposed_price_minor bigint, comment text, state bytea,
    placed_at timestamptz, lane integer, currency text, zone text, market text, customer_id text, provider_id text
);
COMMENT ON TYPE booking.order_placed IS 'A new row of booking.orders: an order_change and what never changes.';

CREATE TYPE booking.history_line AS (
    order_id uuid, event_id uuid, lane_seq bigint, sequence bigint, happened_at timestamptz, occurred_at timestamptz,
    source_offset bigint, lane integer, line integer, partition integer, topic smallint, outcome smallint, actor smallint,
    from_stage smallint, to_stage smallint, kind text, rule text, reason text, actor_id text, note text
);
COMMENT ON TYPE booking.history_line IS 'A new row of booking.order_history.';

-- Moves lanes on, or raises BW001 when a lane's row is not what its writer believes: then somebody else has taken it.
CREATE FUNCTION booking.advance_lanes(steps booking.lane_advance[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    step booking.lane_advance;
BEGIN
    FOREACH step IN ARRAY steps LOOP
        UPDATE booking.lanes l
           SET seq = step.seq_after, w_seen = greatest(l.w_seen, step.w), customer_actions = step.customer_actions_after,
               provider_actions = step.provider_actions_after, gateway_callbacks = step.gateway_callbacks_after,
               operator_actions = step.operator_actions_after, rerouted = step.rerouted_after, updated_at = now()
         WHERE l.lane = step.lane AND l.epoch = step.epoch AND l.seq = step.seq_before
           AND l.customer_actions = step.customer_actions_before AND l.provider_actions = step.provider_actions_before
           AND l.gateway_callbacks = step.gateway_callbacks_before AND l.operator_actions = step.operator_actions_before
           AND l.rerouted = step.rerouted_before;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'lane % does not stand at epoch % and seq % with the offsets that its writer read last',
                step.lane, step.epoch, step.seq_before USING ERRCODE = 'BW001', DETAIL = step.lane::text;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION booking.advance_lanes(booking.lane_advance[]) IS
    'Compare-and-set of lanes on (epoch, seq, offsets); SQLSTATE BW001 with the lane in DETAIL when one does not match.';

-- An update that misses a row would lose an order in silence.
CREATE FUNCTION booking.expect_count(what text, touched bigint, expected bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF touched IS DISTINCT FROM expected THEN
        RAISE EXCEPTION '% of % % were found', touched, expected, what USING ERRCODE = 'BW002';
    END IF;
END
$$;
COMMENT ON FUNCTION booking.expect_count(text, bigint, bigint) IS
    'Raises BW002 when a statement of the worker touched another number of rows than it was given.';

GRANT USAGE ON SCHEMA booking TO booking_worker;
GRANT SELECT ON booking.migrations TO booking_worker;
GRANT SELECT, INSERT, UPDATE ON booking.lanes, booking.orders, booking.refused_placements TO booking_worker;
GRANT SELECT, INSERT ON booking.order_history, booking.outbox TO booking_worker;
