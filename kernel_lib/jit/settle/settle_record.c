#include "settle_record.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The value of the next line, which has this key, and as a string; NULL if it has not. */
static char *take_text(char **at, const char *key) {
    size_t length = strlen(key);
    char *value = *at + length + 1, *end = strchr(*at, '\n');
    if (!end || strncmp(*at, key, length) != 0 || value[-1] != '=')
        return NULL;
    *end = '\0';
    *at = end + 1;
    return value;
}

static bool take_id(char **at, const char *key, char *id, size_t size) {
    const char *value = take_text(at, key);
    if (!value || strlen(value) >= size)
        return false;
    strcpy(id, value);
    return true;
}

static bool take_number(char **at, const char *key, unsigned *number) {
    const char *value = take_text(at, key);
    if (!value || *value < '0' || *value > '9')
        return false;
    char *end;
    *number = (unsigned)strtoul(value, &end, 10);
    return *end == '\0';
}

bool settle_record_parse(struct settle_record *record, const char *text, size_t size) {
    char copy[SETTLE_TEXT], *at = copy;
    if (size >= sizeof copy || memchr(text, '\0', size))
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    return take_id(&at, "build", record->build, sizeof record->build) &&
           take_id(&at, "cpu", record->cpu, sizeof record->cpu) &&
           take_id(&at, "model", record->model, sizeof record->model) &&
           take_number(&at, "covered", &record->covered) &&
           take_number(&at, "compiled", &record->compiled) &&
           take_number(&at, "trims", &record->trims) &&
           take_number(&at, "exports", &record->exports) &&
           take_number(&at, "rehearsed", &record->rehearsed) && *at == '\0';
}

size_t settle_record_format(const struct settle_record *record, char text[SETTLE_TEXT]) {
    return (size_t)snprintf(text, SETTLE_TEXT,
                            "build=%s\ncpu=%s\nmodel=%s\n"
                            "covered=%u\ncompiled=%u\ntrims=%u\nexports=%u\nrehearsed=%u\n",
                            record->build, record->cpu, record->model, record->covered,
                            record->compiled, record->trims, record->exports, record->rehearsed);
}

enum settle_step settle_record_step(const struct settle_record *record, unsigned boots,
                                    bool can_trim) {
    if (boots == 0)
        return SETTLE_NOTHING;
    bool may_trim = can_trim && record->covered >= boots && record->trims < SETTLE_TRIES;
    bool may_export = record->compiled >= boots && record->exports < SETTLE_TRIES;
    bool is_first = can_trim && record->trims == 0;
    if (may_export && !is_first)
        return SETTLE_EXPORT;
    return may_trim ? SETTLE_TRIM : SETTLE_NOTHING;
}
