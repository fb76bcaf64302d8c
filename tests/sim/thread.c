/* Coroutines: one stack per sink, switched by hand. */
#include "thread.h"

#include "booking/clock.h"
#include "sim.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#if defined __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#define IS_SANITIZED 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#include <sanitizer/common_interface_defs.h>
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

#define STACK_BYTES ((size_t)512 << 10)

struct sim_thread {
    struct sim_process *process;
    void *(*run)(void *);
    void *argument;
    ucontext_t context, caller;
    void *stack;
    const void *caller_stack; /* the address sanitizer wants to know */
    size_t caller_stack_bytes;
    int64_t wake_us, ahead_us;
    const void *waits_for; /* a condition; NULL = for time alone */
    bool is_done;
    struct sim_thread *next_spare;
};

static struct sim_thread *spare; /* with their stacks, for the next process */

static void switch_to_thread(struct sim_thread *thread)
{
    void *fake = NULL;
#if IS_SANITIZED
    __sanitizer_start_switch_fiber(&fake, thread->stack, STACK_BYTES);
#endif
    CHECK(swapcontext(&thread->caller, &thread->context) == 0);
#if IS_SANITIZED
    __sanitizer_finish_switch_fiber(fake, NULL, NULL);
#endif
    (void)fake;
}

static void switch_back(struct sim_thread *thread)
{
    void *fake = NULL;
#if IS_SANITIZED
    __sanitizer_start_switch_fiber(thread->is_done ? NULL : &fake, thread->caller_stack, thread->caller_stack_bytes);
#endif
    CHECK(swapcontext(&thread->context, &thread->caller) == 0);
#if IS_SANITIZED
    __sanitizer_finish_switch_fiber(fake, &thread->caller_stack, &thread->caller_stack_bytes);
#endif
    (void)fake;
}

static void begin(void)
{
    struct sim_thread *thread = the_sim->running;
#if IS_SANITIZED
    __sanitizer_finish_switch_fiber(NULL, &thread->caller_stack, &thread->caller_stack_bytes);
#endif
    (void)thread->run(thread->argument);
    thread->is_done = true;
    switch_back(thread);
}

void sim_thread_run(struct sim_thread *thread)
{
    CHECK(the_sim->running == NULL && !thread->is_done);
    the_sim->running = thread;
    switch_to_thread(thread);
    the_sim->running = NULL;
}

static void prepare(ucontext_t *context, void *stack)
{
    CHECK(getcontext(context) == 0);
    context->uc_stack.ss_sp = stack;
    context->uc_stack.ss_size = STACK_BYTES;
    makecontext(context, begin, 0);
}

int sim_thread_create(pthread_t *out, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    (void)attributes;
    struct sim_thread *thread = spare;
    void *stack = thread != NULL ? thread->stack : malloc(STACK_BYTES);
    if (thread != NULL) {
        spare = thread->next_spare;
    } else {
        thread = malloc(sizeof *thread);
    }
    CHECK(thread != NULL && stack != NULL);
    *thread = (struct sim_thread){.process = the_sim->starting, .run = run, .argument = argument, .stack = stack};
    prepare(&thread->context, stack);
    thread->wake_us = the_sim->now_us;
    the_sim->starting->thread = thread;
    memcpy(out, &thread, sizeof thread);
    return 0;
}

int sim_thread_join(pthread_t joined, void **result)
{
    (void)result;
    struct sim_thread *thread;
    memcpy(&thread, &joined, sizeof thread);
    while (!thread->is_done) {
        if (!thread->process->is_dead && thread->wake_us > the_sim->now_us) {
            sim_pass_time(the_sim, thread->wake_us);
        }
        if (!thread->is_done) {
            sim_thread_run(thread);
        }
    }
    thread->process->thread = NULL;
    thread->next_spare = spare;
    spare = thread;
    return 0;
}

int64_t sim_thread_next_us(const struct sim_thread *thread)
{
    return thread->is_done ? SIM_NEVER : thread->wake_us;
}

int64_t sim_thread_ahead_us(const struct sim_thread *thread)
{
    return thread->ahead_us;
}

static void wait_until(struct sim_thread *thread, int64_t us)
{
    thread->wake_us = us;
    switch_back(thread);
    thread->waits_for = NULL;
}

void sim_sleep_until(int64_t us)
{
    struct sim_thread *thread = the_sim->running;
    int64_t now_us = the_sim->now_us + thread->ahead_us;
    if (us <= now_us) {
        return;
    }
    if (!thread->process->is_dead) {
        wait_until(thread, us);
    }
    if (thread->process->is_dead) {
        thread->ahead_us = us - the_sim->now_us;
    }
}

int sim_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    struct sim_thread *thread = the_sim->running;
    pthread_mutex_unlock(mutex);
    thread->waits_for = cond;
    wait_until(thread, SIM_NEVER);
    pthread_mutex_lock(mutex);
    return 0;
}

int sim_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
    struct sim_thread *thread = the_sim->running;
    int64_t until_us = until->tv_sec * INT64_C(1000000) + until->tv_nsec / 1000;
    pthread_mutex_unlock(mutex);
    thread->waits_for = cond;
    wait_until(thread, thread->process->is_dead ? SIM_NEVER : until_us);
    pthread_mutex_lock(mutex);
    return the_sim->now_us >= until_us ? ETIMEDOUT : 0;
}

int sim_cond_signal(pthread_cond_t *cond)
{
    for (int i = 0; i < SIM_PROCESSES_MAX; i++) {
        struct sim_thread *thread = the_sim->processes[i] != NULL ? the_sim->processes[i]->thread : NULL;
        if (thread != NULL && thread->waits_for == cond) {
            thread->wake_us = the_sim->now_us;
        }
    }
    return 0;
}

int sim_clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    int64_t now_us = clock_monotonic_us();
    *out = (struct timespec){.tv_sec = now_us / 1000000, .tv_nsec = now_us % 1000000 * 1000};
    return 0;
}

int sim_nanosleep(const struct timespec *time, struct timespec *left)
{
    (void)left;
    sim_sleep_until(clock_monotonic_us() + time->tv_sec * INT64_C(1000000) + time->tv_nsec / 1000);
    return 0;
}
