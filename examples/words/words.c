/* Counts the words of a file, and writes the list to another one. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define LONGEST 40 /* letters that count */
#define SHOWN 10

struct word {
    struct word *next; /* in its bucket */
    unsigned count;
    char text[LONGEST + 1];
};

static struct word *buckets[BUCKETS];
static size_t different;

static void count_word(const char *text) {
    unsigned hash = 2166136261u; /* FNV-1a */
    for (const char *at = text; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    struct word **place = &buckets[hash % BUCKETS];
    while (*place && strcmp((*place)->text, text) != 0)
        place = &(*place)->next;
    if (!*place) {
        *place = calloc(1, sizeof **place);
        if (!*place) {
            fprintf(stderr, "no memory\n");
            exit(1);
        }
        strcpy((*place)->text, text);
        different++;
    }
    (*place)->count++;
}

static unsigned count_file(FILE *file) {
    char text[LONGEST + 1];
    size_t length = 0;
    unsigned words = 0;
    for (int c = 0; c != EOF;) {
        c = fgetc(file);
        if (c != EOF && isalpha(c)) {
            if (length < LONGEST)
                text[length++] = (char)tolower(c);
        } else if (length > 0) {
            text[length] = '\0';
            count_word(text);
            words++;
            length = 0;
        }
    }
    return words;
}

static int by_count(const void *a, const void *b) {
    const struct word *one = *(struct word *const *)a, *other = *(struct word *const *)b;
    if (one->count != other->count)
        return one->count < other->count ? 1 : -1;
    return strcmp(one->text, other->text);
}

/* All words, the most frequent ones first. */
static struct word **sorted(void) {
    struct word **list = malloc(different * sizeof *list);
    size_t filled = 0;
    for (size_t i = 0; list && i < BUCKETS; i++)
        for (struct word *word = buckets[i]; word; word = word->next)
            list[filled++] = word;
    if (list)
        qsort(list, different, sizeof *list, by_count);
    return list;
}

int main(int argc, char **argv) {
    const char *from = argc > 1 ? argv[1] : "/DATA/TEXT.TXT",
               *to = argc > 2 ? argv[2] : "/WORDS.TXT";
    FILE *file = fopen(from, "r");
    if (!file) {
        fprintf(stderr, "%s: %s\n", from, strerror(errno));
        return 1;
    }
    unsigned words = count_file(file);
    fclose(file);
    struct word **list = sorted();
    if (words > 0 && !list)
        return 1;
    printf("%u words, %zu different\n", words, different);
    for (size_t i = 0; i < different && i < SHOWN; i++)
        printf("%6u %s\n", list[i]->count, list[i]->text);
    file = fopen(to, "w");
    for (size_t i = 0; file && i < different; i++)
        fprintf(file, "%u %s\n", list[i]->count, list[i]->text);
    if (!file || fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", to, strerror(errno));
        return 1;
    }
}
