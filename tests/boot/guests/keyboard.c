/*
 * Echoes what is typed, on PS/2 keyboard or serial line. Says first "ready";
 * each line that enter ends is answered with "got <codes in hexadecimal>", so
 * that a test sees backspaces and control characters too. "quit" ends with
 * code 0, and what follows "status " is shown on the status line. Before that the screen has been
 * scrolled once through, so that a test can look for "line 26" above the prompt and miss "line 1".
 *
 * With the configuration key `busy` it does not sleep but reads the file that
 * the key names over and over while it waits. With `disk = bios` it is then in
 * real mode most of the time, and no key may get lost there.
 */
#include "kernel_lib/runtime.h"

#define SCROLLED_LINES 30
#define MAX_LINE 200

static void read_file(const char *path) {
    struct error error;
    struct file *file = file_open(path, &error);
    void *bytes = file ? malloc(file_size(file)) : NULL;
    if (!bytes || !file_read(file, 0, bytes, file_size(file), &error))
        panic("%s", file ? error.text : "the file of the key `busy` cannot be read");
    free(bytes);
    file_close(file);
}

static int next_character(const char *busy) {
    if (!busy)
        return console_getchar();
    for (;;) {
        int character = keyboard_read();
        if (character < 0)
            character = serial_read();
        if (character >= 0)
            return character;
        read_file(busy);
    }
}

int app_main(void) {
    const char *busy = config_get("busy");
    for (int i = 1; i <= SCROLLED_LINES; i++)
        console_printf("line %d\n", i);
    console_puts("ready\n");
    for (;;) {
        char line[MAX_LINE + 1];
        size_t length = 0;
        for (int character; (character = next_character(busy)) != '\n';) {
            char byte = (char)character;
            console_write(&byte, 1);
            if (length < MAX_LINE)
                line[length++] = byte;
        }
        console_puts("\ngot");
        for (size_t i = 0; i < length; i++)
            console_printf(" %02x", (unsigned char)line[i]);
        console_puts("\n");
        line[length] = '\0';
        if (strncmp(line, "status ", 7) == 0)
            console_status(line + 7);
        if (length == 4 && memcmp(line, "quit", 4) == 0)
            return 0;
    }
}
