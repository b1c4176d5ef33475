/* SQL from standard input, or from a file, on a database of the disk; or SQLite's speed test. */
#include "sqlite3.h"
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int speedtest_main(int count, char **arguments);

/* What SQLite has to say besides the errors in SQL, which are reported where it is run. */
static void report(void *context, int code, const char *text) {
    (void)context;
    if ((code & 0xFF) != SQLITE_ERROR)
        fprintf(stderr, "%s\n", text);
}

static int print_row(void *context, int count, char **values, char **names) {
    (void)context, (void)names;
    for (int i = 0; i < count; i++)
        printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
    printf("\n");
    return 0;
}

/* Runs what stands in the text. */
static bool run(sqlite3 *database, const char *text) {
    char *message = NULL;
    int code = sqlite3_exec(database, text, print_row, NULL, &message);
    fflush(stdout);
    if (code != SQLITE_OK)
        fprintf(stderr, "error: %s\n", message ? message : sqlite3_errstr(code));
    sqlite3_free(message);
    return code == SQLITE_OK;
}

/* Adds a line to the text; false at the end of the input. */
static bool read_line(FILE *input, char **text, size_t *size, size_t *room) {
    int byte;
    while ((byte = fgetc(input)) != EOF) {
        if (*size + 2 > *room) {
            *room = *room ? 2 * *room : 256;
            *text = realloc(*text, *room);
            if (!*text) {
                fprintf(stderr, "no memory\n");
                exit(1);
            }
        }
        (*text)[(*size)++] = (char)byte;
        (*text)[*size] = '\0';
        if (byte == '\n')
            return true;
    }
    return false;
}

/* Each statement as soon as it is complete. A file of the disk ends at its first error, what is
 * typed goes on. */
static bool run_all(sqlite3 *database, FILE *input) {
    char *text = NULL;
    size_t size = 0, room = 0;
    bool good = true;
    do {
        if (input == stdin)
            fprintf(stderr, size ? "...> " : "sql> ");
        if (!read_line(input, &text, &size, &room))
            break;
        if (!sqlite3_complete(text))
            continue;
        good &= run(database, text);
        size = 0;
    } while (good || input == stdin);
    if (size > 0 && (good || input == stdin))
        good &= run(database, text);
    free(text);
    return good;
}

int main(int count, char **arguments) {
    if (count > 1 && strcmp(arguments[1], "speedtest") == 0)
        return speedtest_main(count - 1, arguments + 1);
    const char *name = count > 1 ? arguments[1] : "/DATA.DB";
    FILE *input = count > 2 ? fopen(arguments[2], "r") : stdin;
    if (!input) {
        fprintf(stderr, "%s cannot be opened\n", arguments[2]);
        return 1;
    }
    sqlite3 *database;
    sqlite3_config(SQLITE_CONFIG_LOG, report, NULL);
    if (sqlite3_open(name, &database) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", name, sqlite3_errmsg(database));
        return 1;
    }
    bool good = run_all(database, input);
    return sqlite3_close(database) == SQLITE_OK && good ? 0 : 1;
}
