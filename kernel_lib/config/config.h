/*
 * The configuration: values by key, which come from lines `key = value` or a command line.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

/* A key that has been set, or that somebody has asked for. */
struct setting {
    struct setting *child[2]; /* in the tree: with lesser and with greater keys */
    unsigned level;           /* in the tree */
    unsigned text;            /* the number of the text that the value comes from */
    char *value;              /* within the same allocation, behind the key; NULL: not set */
    bool known;               /* somebody has asked for it */
    char key[];
};

/* A setting that is not added yet, with a key of key_size bytes, none of them zero, and room bytes
 * for the value; without room it is not set. NULL: there is no memory. */
struct setting *config_new(const char *key, size_t key_size, size_t room);

/* Adds a setting. One with the same key is replaced and freed, but what is known stays known. */
void config_add(struct setting *setting);

/* The setting with this key, or NULL. */
struct setting *config_find(const char *key);

/* Calls visitor for every setting, in the order of their keys. */
typedef void config_visitor(void *context, const struct setting *setting);
void config_visit(config_visitor *visitor, void *context);

/*
 * Called for each line that cannot be understood, which is then left out:
 * line counts from 1, message is one sentence.
 */
typedef void config_report(void *context, unsigned line, const char *message);

/*
 * Adds every setting of the text to the configuration. The text is size bytes,
 * UTF-8 or any other superset of ASCII, in lines that end in LF or CR LF; a
 * byte-order mark at its start does not count:
 *
 *   line  = [key "=" value] [comment]         blanks and tabs around each part do not count
 *   key   = a letter, then letters, digits, "_", "-" or "."
 *   value = quoted | anything without "#"      may be empty
 *   quoted = '"' characters '"'                with the escapes \n \t \r \" \\ \xNN
 *   comment = "#" to the end of the line
 *
 * A key that an earlier text set keeps its value: the stronger source is parsed
 * first. Within one text a repeated key is reported and its first value stays.
 * Of a text with many wrong lines only the first 20 are reported, of which the
 * last says so.
 */
void config_parse(const char *text, size_t size, config_report *report, void *context);

/* Forgets all settings and frees them; strings that config_get gave are gone. For tests. */
void config_clear(void);
