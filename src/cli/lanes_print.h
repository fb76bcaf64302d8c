/* Lanes on paper: the table, all about one, and JSON. */
#ifndef CLI_LANES_PRINT_H
#define CLI_LANES_PRINT_H

#include "cli/lanes_decide.h"

/* `kafka` NULL: the brokers did not answer. */
void lanes_print_table(const struct lane_list *list, const struct kafka_lane *kafka);
void lanes_print_json(const struct lane_list *list, const struct kafka_lane *kafka);
/* All about one lane; `config` is the file that was named on the command line, or NULL. */
void lane_print(const struct lane_view *view, int64_t now_ms, const char *system_id, const char *config);
void lane_print_json(const struct lane_view *view);
/* "what is found now", a line each, with the page that tells of it. */
void lane_print_findings(const struct lane_view *view);
/* The columns that a decision changes, before and after. */
void lane_print_change(const struct store_lane *before, const struct store_lane *after);

#endif
