/* The real sink, on a thread of the simulated world. */
#include "sim.h"

#include <pthread.h>
#include <time.h>

#define pthread_create         sim_thread_create
#define pthread_join           sim_thread_join
#define pthread_cond_wait      sim_cond_wait
#define pthread_cond_timedwait sim_cond_timedwait
#define pthread_cond_signal    sim_cond_signal
#define clock_gettime          sim_clock_gettime
#define nanosleep              sim_nanosleep
#include "kafka/sink.c"
