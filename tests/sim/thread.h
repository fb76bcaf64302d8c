/* The sink's thread as a coroutine in virtual time: it runs when the world says so, and gives back at each call that waits. */
#ifndef SIM_THREAD_H
#define SIM_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct sim_thread;

/* What src/kafka/sink.c calls instead of the system. */
int sim_thread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
/* Runs it to its end; the world's time passes meanwhile. */
int sim_thread_join(pthread_t thread, void **result);
int sim_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int sim_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until);
int sim_cond_signal(pthread_cond_t *cond);
int sim_clock_gettime(clockid_t clock, struct timespec *out);
int sim_nanosleep(const struct timespec *time, struct timespec *left);

/* The thread that runs waits until then. In a process that is dead nothing is waited for: its own clock goes on instead. */
void sim_sleep_until(int64_t us);
/* When it wants to run again. */
int64_t sim_thread_next_us(const struct sim_thread *thread);
/* Lets it run until it waits. */
void sim_thread_run(struct sim_thread *thread);
/* How far its own clock is ahead of the world's. */
int64_t sim_thread_ahead_us(const struct sim_thread *thread);

#endif
