/*
 * The application's view of profiling and of the JIT.
 */
#pragma once
#include "kernel_lib/jit_times.h"
#include "kernel_lib/runtime.h"
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Named profiles (kernel_lib/jit/timers.c) ---- */

struct jit_profile {
    const char *name;
    struct jit_times times;
    uint64_t begin; /* TSC at the begin that is not ended yet */
};

/* Finds or makes the profile with this name, which is compared as text and must stay valid. Never
 * NULL: when the table is full, further names share one profile called "(others)". Profiles stay
 * where they are. */
struct jit_profile *jit_profile_get(const char *name);
/* All profiles in order of creation, and their number. */
const struct jit_profile *jit_profiles(size_t *count);
/* Sets all counts back; the profiles stay. */
void jit_profile_reset(void);

/* Counts one call that took this many cycles. */
static inline void jit_profile_add(struct jit_profile *profile, uint64_t cycles) {
    jit_times_add(&profile->times, cycles);
}

/* What lies between begin and end counts as one call of the profile with this name, a string
 * constant. Each place in the source looks its profile up once. One profile cannot be begun again
 * before its end. */
#define jit_profile_begin(name) (JIT_PROFILE_HERE(name)->begin = cpu_rdtsc())
#define jit_profile_end(name)                                                                      \
    do {                                                                                           \
        uint64_t jit_end = cpu_rdtsc();                                                            \
        struct jit_profile *jit_here = JIT_PROFILE_HERE(name);                                     \
        jit_profile_add(jit_here, jit_end - jit_here->begin);                                      \
    } while (0)
#define JIT_PROFILE_HERE(name)                                                                     \
    ({                                                                                             \
        static struct jit_profile *jit_place;                                                      \
        if (__builtin_expect(!jit_place, 0))                                                       \
            jit_place = jit_profile_get("" name);                                                  \
        jit_place;                                                                                 \
    })

/* Average cycles a call, and calls; 0 when there is no such profile, or before its first call. */
uint64_t jit_get_avg_cycles(const char *name);
uint64_t jit_get_call_count(const char *name);
/* Least and most cycles a call took; 0 like the average. */
uint64_t jit_get_min_cycles(const char *name);
uint64_t jit_get_max_cycles(const char *name);

/* ---- The JIT. In a variant without one all code was compiled ahead of time: there these functions
 * do nothing, or say so. ---- */

/* Whether this variant compiles while it runs. */
bool jit_available(void);
/* Compiles now, on the highest level, every function that took at least 1 % of the time measured so
 * far, instead of waiting until its calls or its cost make that due. Returns how many. */
size_t jit_optimize_hot_functions(void);
/* From so many calls on a function is due for O1 (warm), for O2 with specialisation (hot) and for
 * O3 (very_hot). False, and nothing is changed, unless 1 <= warm <= hot <= very_hot. */
bool jit_set_threshold(uint64_t warm, uint64_t hot, uint64_t very_hot);
/* How the function with this name runs: "interpreter", "O0" to "O3", or "aot" (ahead of time). NULL
 * when the JIT has no such function. */
const char *jit_get_optimization_level(const char *name);
/* Another function that does the same as function, has the same type and may run on this CPU. When
 * function is compiled for the highest level, the JIT times both on real calls of it, and keeps the
 * faster one. False when there is no room for one more, or either is no function of the
 * application. */
bool jit_add_alternative(const void *function, const void *other);
/* Whether each function's alternative was chosen when this kernel was compiled, from what a JIT
 * had measured (docs/life.md): then the functions that they are alternatives of are the ones to
 * call. */
bool jit_has_chosen(void);
/* The model, or whatever else the program's frequent argument values depend on: at most 120
 * characters, none of them a blank. A kernel that was compiled for the argument values of another
 * one leaves the machine to a kernel that fits (snapshots_pass_over). */
void jit_note_model(const char *model);
/* Prints the functions that have run (calls, average cycles on each level, level and why) and what
 * compiling and profiling have cost; without a JIT, what this kernel was compiled from. */
void jit_print(void);
/* Prints what the JIT has to say since the last time: events "tier" and "candidate", and failures.
 * Call it where a line begins and no text of the model is open. */
void jit_print_log(void);
/* Sends an event "jit": what was compiled, what that and profiling have cost since the boot (TSC
 * cycles), and how much memory is used (bytes). */
void jit_report_costs(void);
/* For an application that waits for input, again and again until it comes: compiles at most one
 * function, the one that gains most of those that are not on their highest level yet. False when
 * nothing is left, or jit.idle is off. */
bool jit_use_idle_time(void);
/* The application has waited since begin (TSC), with or without jit_use_idle_time(): that is no
 * function's time, and none that compiling may take its share of. */
void jit_note_waiting(uint64_t begin);
/* Writes what the JIT has learnt since the last time to /profile, for the next boot, with an event
 * "profile_saved". A failure is a message. platform_exit and platform_reboot do it too. */
void jit_persist_save(void);
/* The same, but not every time, because where stories are short writing took a tenth of the time:
 * when code was compiled since, or when enough time has passed for writing to take at most 0.4 %.
 * False when nothing was written. */
bool jit_persist_save_when_due(void);
/* Compiles the program as a whole, links it to a kernel that needs no JIT, and writes that as a
 * snapshot (snapshots_add in runtime.h). It takes seconds and some 20 MiB, and says what it did in
 * an event "export". False with *error, and nothing is changed, when that fails. */
bool jit_export(struct error *error);
/* [bare] Writes a copy of this kernel as a snapshot, without the functions of the compiler's
 * libraries that have run neither in this boot nor in earlier ones, of which there must be one. A
 * call of such a function is survived like that of a trap stub (kernel_lib/removed). First it
 * compiles what jit_export() would write, so that the copy can, too. It takes seconds and memory
 * for the unpacked kernel and 20 MiB, and says what it did in an event "trim". False with *error,
 * and nothing is changed, when that fails. */
bool jit_trim(struct error *error);
/* For an application that waits for input, when jit_use_idle_time() has nothing left: whether this
 * machine has settled, so that jit_settle() would write a successor of the running kernel
 * (docs/life.md), and nothing was typed. */
bool jit_settle_due(void);
/* Does that, with a line of progress and one of its result. It takes seconds; a byte of input puts
 * it off to another call. When a program ends that does not wait for input (jit_note_progress), it
 * is called for it. */
void jit_settle(void);
/* What the status line is to say of the application, next to the JIT's own state. */
void jit_status(const char *text);

/* Where the application is, for what has to be known when the machine stops all of a sudden
 * (docs/jit-memory.md): it waits for its user; it goes on; it has a result. */
enum jit_progress { JIT_WAITS, JIT_GOES_ON, JIT_HAS_RESULT };
void jit_note_progress(enum jit_progress progress);

/* What the JIT has done, in TSC cycles. */
struct jit_statistics {
    uint64_t begin; /* TSC when the JIT began */
    uint64_t compiled, failed, from_cache;
    uint64_t compile_cycles;
    uint64_t first_cycles;               /* of the first compilation: all of the compiler is new */
    uint64_t idle_compiled, idle_cycles; /* in jit_use_idle_time(): not among those above */
    uint64_t waiting_cycles;             /* for input; idle_cycles are among them */
    uint64_t timed_calls;
    uint64_t profiling_cycles; /* of timing calls, and of deciding what to compile */
};
struct jit_statistics *jit_statistics(void);

#ifdef __cplusplus
}
#endif
