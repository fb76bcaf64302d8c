-- What an operator decides about a halted lane: `booking-worker lanes resume` writes it here, and the worker that takes the lane
-- next follows it.
SET LOCAL ROLE booking_owner;

ALTER TABLE booking.lanes ADD COLUMN w_is_decided boolean NOT NULL DEFAULT false, ADD COLUMN decision text;
COMMENT ON COLUMN booking.lanes.w_is_decided IS
    'An operator has decided that w_seen is what was emitted: where Kafka has no more than that, its offsets say nothing. Until the lane''s next batch.';
COMMENT ON COLUMN booking.lanes.decision IS 'Who resumed the lane, and how: for the log of the worker that takes it. Until the lane''s next batch.';

CREATE TABLE booking.lane_decisions (
    number     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decided_at timestamptz NOT NULL DEFAULT now(),
    decided_by text NOT NULL,
    login      text NOT NULL DEFAULT session_user,
    lane       integer NOT NULL,
    verbs      text NOT NULL,
    reason     text NOT NULL,
    row_before jsonb NOT NULL,
    row_after  jsonb NOT NULL
);
COMMENT ON TABLE booking.lane_decisions IS 'Every resumption of a halted lane by `booking-worker lanes resume`. Nothing is ever changed or taken away here.';
COMMENT ON COLUMN booking.lane_decisions.number IS 'In the order in which they were made.';
COMMENT ON COLUMN booking.lane_decisions.decided_at IS 'When.';
COMMENT ON COLUMN booking.lane_decisions.decided_by IS 'Who: --by, or the user of the operating system.';
COMMENT ON COLUMN booking.lane_decisions.login IS 'The role that wrote it.';
COMMENT ON COLUMN booking.lane_decisions.lane IS 'The lane.';
COMMENT ON COLUMN booking.lane_decisions.verbs IS 'What was accepted, as the command line said it.';
COMMENT ON COLUMN booking.lane_decisions.reason IS 'What the lane was halted for.';
COMMENT ON COLUMN booking.lane_decisions.row_before IS 'The row of booking.lanes as it stood.';
COMMENT ON COLUMN booking.lane_decisions.row_after IS 'The row as it stood afterwards.';
GRANT SELECT, INSERT ON booking.lane_decisions TO booking_worker;

-- The first batch of a lane after a decision shows that it was followed: Kafka and Postgres agree again, and are compared again.
CREATE OR REPLACE FUNCTION booking.advance_lanes(steps booking.lane_advance[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    step booking.lane_advance;
BEGIN
    FOREACH step IN ARRAY steps LOOP
        UPDATE booking.lanes l
           SET seq = step.seq_after, w_seen = greatest(l.w_seen, step.w), customer_actions = step.customer_actions_after,
               provider_actions = step.provider_actions_after, gateway_callbacks = step.gateway_callbacks_after,
               operator_actions = step.operator_actions_after, rerouted = step.rerouted_after, updated_at = now(),
               w_is_decided = false, decision = NULL
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
