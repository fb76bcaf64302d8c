/* Comes before src/kafka/sink.c: the sink's thread is one of the simulated world. */
#ifndef SIM_SINK_THREAD_H
#define SIM_SINK_THREAD_H

#include "thread.h"

#define pthread_create         sim_thread_create
#define pthread_join           sim_thread_join
#define pthread_cond_wait      sim_cond_wait
#define pthread_cond_timedwait sim_cond_timedwait
#define pthread_cond_signal    sim_cond_signal
#define clock_gettime          sim_clock_gettime
#define nanosleep              sim_nanosleep

#endif
