-- The history keeps each event as the core met it, so that `booking-worker audit` can replay an order's life. Lines from before
-- have none: their orders cannot be replayed, which is no fault.
SET LOCAL ROLE booking_owner;

ALTER TABLE booking.order_history ADD COLUMN event bytea;
COMMENT ON COLUMN booking.order_history.event IS
    'The event as the worker decided it (versioned binary form, without the ids, which stand beside it); null for a deadline, a reminder, or a record that could not be decoded.';

ALTER TYPE booking.history_line ADD ATTRIBUTE event bytea;
