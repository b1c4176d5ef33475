/*
 * The TSC's frequency, measured against channel 2 of the 8254 interval timer (Intel 8254 data
 * sheet). Boot only starts the timer. The first question for the frequency compares what has passed
 * on both clocks since, so nothing waits at boot.
 */
#include "kernel_lib/cpu/clock.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/runtime.h"

#define PIT_HZ 1193182ull
#define PIT_CHANNEL_2 0x42
#define PIT_COMMAND 0x43
#define PIT_ONE_SHOT 0xB0 /* channel 2, low byte then high byte, mode 0, binary */
#define PIT_LATCH 0x80    /* channel 2 */
#define PIT_FULL 0xFFFFu

#define PORT_B 0x61 /* gate and output of channel 2, speaker */
#define PORT_B_GATE 0x01
#define PORT_B_SPEAKER 0x02
#define PORT_B_OUTPUT 0x20 /* high once the one-shot has expired */

#define MIN_TICKS (PIT_HZ / 500) /* 2 ms */
/* The moment of a latch or start is known only to the length of a port access, or longer when a
 * hypervisor takes the CPU away meanwhile. A measurement whose error is under this many millionths
 * is good. If none of ATTEMPTS is, the best one counts. */
#define GOOD_DOUBT 1000
#define ATTEMPTS 25
#define MAX_POLLS 100000 /* of over 1 us each on a machine whose timer does not run */
#define FALLBACK_HZ 1000000000ull

/* A moment on the TSC, between two readings. */
struct moment {
    uint64_t before, after;
};

static struct moment started;

void clock_start(void) {
    outb(PORT_B, (inb(PORT_B) & (uint8_t)~PORT_B_SPEAKER) | PORT_B_GATE);
    outb(PIT_COMMAND, PIT_ONE_SHOT);
    outb(PIT_CHANNEL_2, PIT_FULL & 0xFF);
    started.before = cpu_rdtsc();
    outb(PIT_CHANNEL_2, PIT_FULL >> 8); /* counting begins */
    started.after = cpu_rdtsc();
}

/* Ticks since the start, and when that was. */
static uint64_t elapsed_ticks(struct moment *now) {
    now->before = cpu_rdtsc();
    outb(PIT_COMMAND, PIT_LATCH);
    now->after = cpu_rdtsc();
    unsigned count = inb(PIT_CHANNEL_2);
    count |= (unsigned)inb(PIT_CHANNEL_2) << 8;
    return PIT_FULL - count;
}

/* Waits until MIN_TICKS have passed since the start; false when the timer does not run. */
static bool wait_ticks(void) {
    struct moment now;
    for (unsigned polls = 0; polls < MAX_POLLS; polls++)
        if (elapsed_ticks(&now) >= MIN_TICKS)
            return true;
    return false;
}

/* The frequency between the timer's start and now, and in *doubt its error at most, in millionths.
 * False when the one-shot has expired: the timer does not tell when. */
static bool measure(uint64_t *frequency, uint64_t *doubt) {
    struct moment now;
    uint64_t ticks = elapsed_ticks(&now);
    if (inb(PORT_B) & PORT_B_OUTPUT)
        return false;
    uint64_t cycles = now.before - started.before;
    *frequency = cycles * PIT_HZ / ticks;
    *doubt = ((now.after - now.before) + (started.after - started.before)) * 1000000 / cycles;
    return true;
}

uint64_t cpu_cycles_per_second(void) {
    static uint64_t frequency;
    if (frequency)
        return frequency;
    uint64_t best = FALLBACK_HZ; /* no timer: times will be wrong, but nothing hangs */
    uint64_t least_doubt = UINT64_MAX;
    for (unsigned attempt = 0; least_doubt >= GOOD_DOUBT && attempt < ATTEMPTS; attempt++) {
        if (attempt > 0 || (inb(PORT_B) & PORT_B_OUTPUT))
            clock_start();
        uint64_t measured, doubt;
        if (!wait_ticks())
            break;
        if (measure(&measured, &doubt) && doubt < least_doubt) {
            best = measured;
            least_doubt = doubt;
        }
    }
    return frequency = best;
}
