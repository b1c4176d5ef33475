/*
 * Compares cpu_cycles_per_second(), which comes from the PIT, with the
 * real-time clock: TSC cycles between two changes of its seconds. The test
 * expects "PIT N Hz" and "RTC N Hz" to agree.
 */
#include "kernel_lib/io/ports.h"
#include "kernel_lib/runtime.h"
#include <inttypes.h>

#define RTC_INDEX 0x70
#define RTC_DATA 0x71
#define RTC_SECONDS 0x00

static uint8_t seconds(void) {
    outb(RTC_INDEX, RTC_SECONDS);
    return inb(RTC_DATA);
}

/* The TSC when the seconds change next. */
static uint64_t next_second(void) {
    uint8_t now = seconds();
    while (seconds() == now)
        ;
    return cpu_rdtsc();
}

int app_main(void) {
    uint64_t start = next_second();
    uint64_t by_rtc = next_second() - start;
    console_printf("PIT %" PRIu64 " Hz\n", cpu_cycles_per_second());
    console_printf("RTC %" PRIu64 " Hz\n", by_rtc);
    return 0;
}
