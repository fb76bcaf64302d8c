/* Which version of its library each folder runs with, for --version. */
#ifndef BOOKING_LIBRARIES_H
#define BOOKING_LIBRARIES_H

#define LIBRARY_TEXT 160

/* "librdkafka 2.0.2"; always NUL-terminated. */
void kafka_libraries(char out[LIBRARY_TEXT]);
void postgres_libraries(char out[LIBRARY_TEXT]);
void codec_libraries(char out[LIBRARY_TEXT]);
void http_libraries(char out[LIBRARY_TEXT]);
void base_libraries(char out[LIBRARY_TEXT]);

#endif
