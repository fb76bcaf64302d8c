/* The typed columns of booking.orders, derived from the order itself. */
#ifndef BOOKING_POSTGRES_ORDER_ROW_H
#define BOOKING_POSTGRES_ORDER_ROW_H

#include "booking/order.h"
#include "postgres/params.h"

/* Appends a row of booking.order_change (is_new: booking.order_placed). `state` is the order, packed. */
void order_row_append(struct array *rows, const struct order *order, struct bytes state, int32_t lane, bool is_new);

#endif
