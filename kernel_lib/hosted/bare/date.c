/* The date of the MC146818's registers (Motorola MC146818A data sheet), in CMOS memory, and the
 * time-stamp counter. */
#include "kernel_lib/hosted/date.h"
#include "kernel_lib/io/ports.h"
#include "kernel_lib/runtime.h"

#define CMOS_INDEX 0x70
#define CMOS_DATA 0x71

enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, STATUS_A = 10, STATUS_B };
#define UPDATING 0x80  /* status A */
#define IS_BINARY 0x04 /* status B */
#define IS_24_HOURS 0x02
#define IS_AFTERNOON 0x80 /* hours, in 12-hour mode */
#define MAX_READINGS 100000

struct clock {
    unsigned seconds, minutes, hours, day, month, year;
};

static unsigned cmos(unsigned index) {
    outb(CMOS_INDEX, (uint8_t)index);
    return inb(CMOS_DATA);
}

static struct clock read_clock(void) {
    return (struct clock){cmos(SECONDS), cmos(MINUTES), cmos(HOURS),
                          cmos(DAY),     cmos(MONTH),   cmos(YEAR)};
}

/* Twice the same, so that no update came between; false if that never happens. */
static bool steady_clock(struct clock *clock) {
    struct clock again;
    for (unsigned i = 0; i < MAX_READINGS; i++) {
        if (cmos(STATUS_A) & UPDATING)
            continue;
        *clock = read_clock();
        again = read_clock();
        if (memcmp(clock, &again, sizeof again) == 0)
            return true;
    }
    return false;
}

static unsigned binary(unsigned value, unsigned status) {
    return status & IS_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

/* Days from 1 January 1970 to a date of this century. The year begins in March here, so that the
 * leap day is its last. */
static int64_t days(unsigned day, unsigned month, unsigned year) {
    unsigned months = (month + 9) % 12, years = 2000 + year - (month < 3);
    return (int64_t)(365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 +
                     day - 1) -
           719468; /* of 1 March of year 0 */
}

static int64_t seconds_of(const struct clock *clock, unsigned status) {
    unsigned hours = binary(clock->hours & ~(unsigned)IS_AFTERNOON, status);
    if (!(status & IS_24_HOURS))
        hours = hours % 12 + (clock->hours & IS_AFTERNOON ? 12 : 0);
    int64_t day =
        days(binary(clock->day, status), binary(clock->month, status), binary(clock->year, status));
    return day * 86400 + hours * 3600 + binary(clock->minutes, status) * 60 +
           binary(clock->seconds, status);
}

int64_t program_date(void) {
    struct clock clock;
    return steady_clock(&clock) ? seconds_of(&clock, cmos(STATUS_B)) : -1;
}

uint64_t program_cpu_time(void) {
    uint64_t cycles = cpu_rdtsc(), each_second = cpu_cycles_per_second();
    return cycles / each_second * 1000000 + cycles % each_second * 1000000 / each_second;
}
