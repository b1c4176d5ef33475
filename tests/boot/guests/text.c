/*
 * Tells a text that is interrupted by a message, an event and, as the key `prompt` says, by
 * something worse; in the boot after that it gets to the text's end.
 */
#include "kernel_lib/runtime.h"

#define BOOTED "/profile/BOOTED.TXT"

static void say(const char *text) {
    console_text(text, strlen(text));
}

/* Whether this is the disk's first boot. */
static bool first_boot(void) {
    struct error error;
    struct file *file = file_open(BOOTED, &error);
    if (file) {
        file_close(file);
        return false;
    }
    if (!file_replace(BOOTED, "yes", 3, &error))
        panic("%s", error.text);
    return true;
}

static void no_such_thing(void) {
    panic("what to do?");
}

static void fault(void) {
    __asm__ volatile("ud2");
}

static void fail(void) {
    panic("on purpose");
}

/* An exception that finds no handler, nor does the double fault after it. */
static void crash(void) {
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) no_idt;
    __asm__ volatile("lidt %0\n\tud2" : : "m"(no_idt));
}

static void go_on(void) {}

static void restart(void) {
    platform_reboot();
}

static const struct {
    const char *name;
    void (*interruption)(void);
} interruptions[] = {
    {"none", go_on},  {"panic", fail},      {"exception", fault},
    {"crash", crash}, {"restart", restart}, {"another text", restart},
};

int app_main(void) {
    const char *wanted = config_get("prompt");
    void (*interruption)(void) = no_such_thing;
    for (size_t i = 0; wanted && i < sizeof interruptions / sizeof interruptions[0]; i++)
        if (strcmp(interruptions[i].name, wanted) == 0)
            interruption = interruptions[i].interruption;
    bool first = first_boot();
    console_text_begin();
    say("Once");
    console_puts("a message, and the rest ");
    console_puts("of it");
    say(" upon\033"); /* what would steer a terminal is left out: ESC, and CSI in two pieces */
    say("\xC2");
    say("\x9B\n");
    console_event("{\"event\":\"note\"}");
    say("@ time, there was ");
    say(first || strcmp(wanted, "another text") != 0 ? "a cat" : "a dog");
    if (first)
        interruption();
    say(".\n@bareflow {\"event\":\"exit\"}");
    console_text_end();
    return 0;
}
