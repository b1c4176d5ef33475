/*
 * Whose time it was: of a timed call's cycles, which were those of the timed calls within, and
 * which went into compiling. The policy is told before and after each timed call, so they nest.
 */
#include "kernel_lib/jit/policy/call_times.h"

#define MAX_DEPTH 256 /* deeper calls count as part of the one that deep */

struct frame {
    uint64_t within; /* cycles of calls within and of compiling, times the calls they stand for */
    uint64_t paused; /* cycles of compiling alone */
    struct {
        const struct jit_function *function; /* NULL: there was no loop */
        uint64_t now, within;                /* when it said last that it goes on */
    } loop;
};

static struct frame frames[MAX_DEPTH + 1]; /* [0] is where no timed call is */
static unsigned depth;

static struct frame *top(void) {
    return &frames[depth < MAX_DEPTH ? depth : MAX_DEPTH];
}

void time_begin_call(void) {
    if (++depth <= MAX_DEPTH)
        *top() = (struct frame){0};
}

/* An interruption of the one call did not interrupt those that it stands for. */
static uint64_t weigh(uint64_t cycles, const struct sample *sample) {
    uint64_t typical = cycles < sample->most ? cycles : sample->most;
    return cycles + typical * (sample->stands_for - 1);
}

int64_t time_end_call(uint64_t cycles, const struct sample *sample, uint64_t *paused) {
    struct frame own = *top();
    *paused = 0;
    if (depth > MAX_DEPTH) {
        depth--;
        return 0;
    }
    if (depth > 0)
        depth--;
    *paused = own.paused < cycles ? own.paused : cycles;
    uint64_t weighted = weigh(cycles - *paused, sample);
    top()->within += weighted + *paused;
    top()->paused += *paused;
    /* What was within has its own weight already. */
    return (int64_t)weighted - (int64_t)((own.within - own.paused) * sample->stands_for);
}

/* An untimed call has no frame: its loop is not that of the call below. */
int64_t time_in_loops(const struct jit_function *f, uint64_t now) {
    struct frame *frame = top();
    bool same = frame->loop.function == f;
    int64_t passed = (int64_t)(now - frame->loop.now);
    int64_t within = (int64_t)(frame->within - frame->loop.within);
    frame->loop.function = f;
    frame->loop.now = now;
    frame->loop.within = frame->within;
    return same ? passed - within : 0;
}

void time_add_pause(uint64_t cycles) {
    top()->within += cycles;
    top()->paused += cycles;
}

int64_t time_self(const struct jit_function *f) {
    int64_t self = 0;
    for (int level = 0; level < JIT_LEVELS; level++)
        self += f->policy.self[level];
    return self;
}
