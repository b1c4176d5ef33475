/* An ordinary program's entry: app_main, unless the program has one of its own, calls main with the
 * arguments of the setting `args`, and an environment, which is empty. */
#include "kernel_lib/runtime.h"

#define MOST_ARGUMENTS 64

/* The program's; it has this or an app_main. */
int program_main(int count, char **arguments, char **environment) __asm__("main")
    __attribute__((weak));

/* Divides text in place at its spaces; within "..." they are part of an argument. Returns how many
 * there are. */
static int divide(char *text, char **arguments, int most) {
    int count = 0;
    while (*text && count < most) {
        while (*text == ' ')
            text++;
        if (!*text)
            break;
        arguments[count++] = text;
        char *to = text;
        for (bool quoted = false; *text && (quoted || *text != ' '); text++)
            if (*text == '"')
                quoted = !quoted;
            else
                *to++ = *text;
        if (*text)
            text++;
        *to = '\0';
    }
    return count;
}

__attribute__((weak)) int app_main(void) {
    static char *arguments[MOST_ARGUMENTS + 2] = {PROGRAM_NAME}, *environment[1];
    if (!program_main)
        panic("the program has no function main");
    const char *given = config_get("args");
    char *text = strdup(given ? given : PROGRAM_ARGUMENTS);
    if (!text)
        panic("no memory for the program's arguments");
    config_report_unknown("");
    int count = 1 + divide(text, arguments + 1, MOST_ARGUMENTS);
    /* Reports name it, and not this function. */
    [[clang::noinline]] return program_main(count, arguments, environment);
}
