/*
 * The parts of the policy that work together: what is compiled when (optimize.c, idle.c), what
 * that may cost (budget.c) and saves (gain.c), which arguments code is specialised for
 * (adaptive.c), which of several versions is kept (trial.c). Plain C that needs the engine only
 * through function.h.
 */
#pragma once
#include "kernel_lib/jit/function.h"

#define JIT_ALTERNATIVES 3 /* of a function, at most */

#define JIT_GONE 16 /* evicted tuples that are known again */

struct trial;

/* What the policy keeps of a function beside struct jit_function. */
struct policy {
    int64_t self[JIT_LEVELS]; /* cycles on each level, without what was called, all calls estimated
                                 from the timed ones */
    struct jit_function *alternatives[JIT_ALTERNATIVES];
    struct trial *trial; /* NULL: none is on */
    uint64_t since;      /* budget_running() at the first timed call on its level */
    uint64_t last;       /* the same at the last one */
    enum { LOOP_UNKNOWN, LOOP_NONE, LOOP_OWN } loop; /* jit_has_loop() */
    uint64_t usual_calls;    /* in an earlier start; 0: or its code from then is not there */
    bool tried;              /* candidates for the highest level, in this start or an earlier one */
    int last_tuple;          /* of the arguments noted last; -1: none of function->tuples */
    uint32_t noted;          /* arguments since the tuples were last judged */
    uint32_t missed;         /* of these, calls that found the table full of others */
    uint32_t fresh;          /* of these, calls that the version has no copy for */
    uint8_t copies;          /* bits: the tuples that the version has copies for */
    uint16_t judged;         /* times, since evicted was set back */
    uint16_t evicted;        /* tuples that made room for others that were new, since then */
    uint64_t gone[JIT_GONE]; /* hashes of those evicted last, in a ring */
    uint8_t gone_next;
    uint8_t bad_times;     /* in a row that the tuples were judged too few */
    uint8_t fresh_times;   /* in a row that too many calls found no copy */
    uint8_t renewals;      /* of the copies, for other arguments */
    bool wants_new_copies; /* there are too many fresh ones */
};

/* NULL when there was no memory. */
struct policy *policy_of(struct jit_function *function);
/* jit_has_loop(), remembered. */
bool policy_computes(struct jit_function *function);

/* ---- Time (call_times.c) ---- */

/* A timed call begins. */
void time_begin_call(void);
/* What a timed call stands for. */
struct sample {
    uint64_t stands_for; /* calls */
    uint64_t most;       /* cycles of the others, at most: beyond, this one was interrupted */
};
/* The call that began last has ended. Returns the cycles of all the calls that it stands for,
 * without those of the timed calls within and of compiling; *paused are those of compiling in this
 * one. Only on average is a call within as long as those that it stands for, so what is returned
 * may be negative; the sum over many calls is right. */
int64_t time_end_call(uint64_t cycles, const struct sample *sample, uint64_t *paused);
/* Code was compiled for so many cycles. */
void time_add_pause(uint64_t cycles);

/* ---- Cost (budget.c) ---- */

/* What compiling the function on this level is going to take, by those before and its size. */
uint64_t budget_expect(const struct jit_function *function, enum jit_level level);
/* Whether compiling may take so many more cycles by now. */
bool budget_allows(uint64_t cycles, uint64_t now);
/* Whether all is still new, so that more is allowed. */
bool budget_in_start(uint64_t now);
/* What compiling a usual function on O0 takes: a measure of time that suits the machine. */
uint64_t budget_unit(void);
/* Cycles since the JIT began that went neither into compiling nor into waiting for input. */
uint64_t budget_running(uint64_t now);
/* What is charged from now on was compiled while the application waited for input, or not. */
void budget_set_idle(bool on);
bool budget_is_idle(void);
/* Compiling it took so long, up to now. */
void budget_charge(const struct jit_function *function, enum jit_level level, uint64_t cycles);

/* ---- Gain (gain.c) ---- */

/* What part of the time that the function takes on its level, better code will save. */
double gain_part(struct jit_function *function);

/* ---- Specialisation (adaptive.c) ---- */

/* Whether code for the tuples seen is worth making. */
bool adaptive_can_specialise(const struct jit_function *function);
/* Sorts out tuples that are too rare for copies of their own; before code is made. */
void adaptive_choose_tuples(struct jit_function *function);
/* The version is about to get copies for other tuples; unless that has happened too often: then an
 * argument is dropped, and new tuples are to be seen first. */
void adaptive_renew(struct jit_function *function);
/* A version with or without copies for the tuples has been installed. */
void adaptive_compiled(struct jit_function *function);

/* ---- Candidates (trial.c) ---- */

/* How many versions there would be to choose from for the highest level; 1: no choice. */
unsigned trial_candidates(struct jit_function *function);
/* Begins to try them; false when none could be made. */
bool trial_begin(struct jit_function *function, const char *reason);
/* Makes one of its candidates that was not made yet; false when all are. */
bool trial_prepare(struct jit_function *function);
/* A call of the version that is on trial took so long. May compile and exchange versions. True when
 * the trial is over. */
bool trial_note_call(struct jit_function *function, uint64_t cycles);

/* ---- optimize.c ---- */

/* Compiling is decided on from here on; false when that is going on already. */
bool optimize_begin(void);
void optimize_end(void);
/* The highest level that it may go to. */
enum jit_level optimize_top(const struct jit_function *function);
/* The cycles that better code is expected to save from now on, at the time running of
 * budget_running(); goes_on says that the function is known to be called again and again. */
double optimize_gain(struct jit_function *function, const struct policy *policy, uint64_t running,
                     bool goes_on);
/* The cycles that it has taken for itself, on all levels. */
int64_t optimize_self(const struct policy *policy);
/* Compiles, measures, logs; false on failure, after which the level is not tried again. */
bool optimize_compile(struct jit_function *function, enum jit_level level, const char *reason);
/* Counts one more version. */
void optimize_count(void);
/* One more version is what runs: tells it, and the cycles that making it took. */
void optimize_log(const struct jit_function *function, uint64_t cycles);
/* The status line (report.c): anew, or that function is now compiled on level. */
void report_status(uint64_t now);
void report_compiling(const struct jit_function *function, enum jit_level level);
