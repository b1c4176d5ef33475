/*
 * A benchmark of what most programs do: they walk and sort lists, multiply matrices, read text with
 * a state machine, and sum up bytes. marks [ROUNDS [SEED]] does each of the four so many times on
 * numbers that the seed makes, and prints a checksum of each.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* ---- Numbers ---- */

static uint32_t random_state;

static uint16_t next_random(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return (uint16_t)(random_state >> 16);
}

/* ---- Checksums: CRC-16 with the polynomial x^16 + x^12 + x^5 + 1, highest bit first ---- */

static uint16_t crc_byte(uint16_t crc, uint8_t byte) {
    crc ^= (uint16_t)(byte << 8);
    for (int bit = 0; bit < 8; bit++)
        crc = (uint16_t)(crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1);
    return crc;
}

static uint16_t crc_number(uint16_t crc, uint32_t number) {
    for (int i = 0; i < 4; i++)
        crc = crc_byte(crc, (uint8_t)(number >> 8 * i));
    return crc;
}

/* ---- A list: searched, reversed, sorted by key and back by place ---- */

#define NODES 256

struct node {
    struct node *next;
    uint16_t key, place;
};

static struct node nodes[NODES];

static int by_key(const struct node *a, const struct node *b) {
    return (a->key > b->key) - (a->key < b->key);
}

static int by_place(const struct node *a, const struct node *b) {
    return (a->place > b->place) - (a->place < b->place);
}

static struct node *reverse(struct node *list) {
    struct node *reversed = NULL;
    while (list) {
        struct node *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

/* Of equal nodes, a's come first. */
static struct node *merge(struct node *a, struct node *b,
                          int (*compare)(const struct node *, const struct node *)) {
    struct node *first = NULL, **last = &first;
    while (a && b) {
        struct node **smaller = compare(a, b) <= 0 ? &a : &b;
        *last = *smaller;
        *smaller = (*smaller)->next;
        last = &(*last)->next;
    }
    *last = a ? a : b;
    return first;
}

static struct node *sort(struct node *list,
                         int (*compare)(const struct node *, const struct node *)) {
    if (!list || !list->next)
        return list;
    struct node *middle = list;
    for (struct node *end = list->next; end && end->next; end = end->next->next)
        middle = middle->next;
    struct node *rest = middle->next;
    middle->next = NULL;
    return merge(sort(list, compare), sort(rest, compare), compare);
}

/* How many nodes come before the first one with at least this key. */
static uint32_t search(const struct node *list, uint16_t key) {
    uint32_t passed = 0;
    for (; list && list->key < key; list = list->next)
        passed++;
    return passed;
}

static void make_list(void) {
    for (uint16_t i = 0; i < NODES; i++)
        nodes[i] = (struct node){i + 1 < NODES ? &nodes[i + 1] : NULL, next_random() % 1000, i};
}

static uint16_t list_round(uint16_t crc) {
    uint16_t key = next_random() % 1000;
    struct node *list = reverse(nodes);
    crc = crc_number(crc, search(list, key));
    list = sort(list, by_key);
    crc = crc_number(crc, search(list, key));
    for (const struct node *node = list; node; node = node->next)
        crc = crc_number(crc, node->place);
    list = sort(list, by_place);
    list->key = key;
    return crc;
}

/* ---- Matrices of integers modulo 2^32 ---- */

#define ORDER 16

static uint32_t left[ORDER][ORDER], right[ORDER][ORDER], product[ORDER][ORDER];

static void make_matrices(void) {
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            left[i][j] = next_random();
            right[i][j] = next_random();
        }
}

static uint16_t matrix_round(uint16_t crc) {
    uint32_t trace = 0;
    for (int i = 0; i < ORDER; i++)
        for (int j = 0; j < ORDER; j++) {
            uint32_t sum = 0;
            for (int k = 0; k < ORDER; k++)
                sum += left[i][k] * right[k][j];
            product[i][j] = sum;
        }
    for (int i = 0; i < ORDER; i++) {
        trace += product[i][i];
        for (int j = 0; j < ORDER; j++)
            left[i][j] ^= product[j][i] >> 7;
    }
    return crc_number(crc, trace);
}

/* ---- A state machine that reads numbers with commas between them ---- */

#define TEXT_BYTES 512

enum state { START, SIGN, INTEGER, FRACTION, EXPONENT, EXPONENT_SIGN, SCIENTIFIC, INVALID, STATES };

static char text[TEXT_BYTES];

static void make_text(void) {
    static const char letters[] = "0123456789012345678901234567+-.eE,,,,x";
    for (int i = 0; i < TEXT_BYTES; i++)
        text[i] = letters[next_random() % (sizeof letters - 1)];
}

static int is_digit(char c) {
    return c >= '0' && c <= '9';
}

static enum state step(enum state state, char c) {
    int sign = c == '+' || c == '-', exponent = c == 'e' || c == 'E';
    switch (state) {
    case START:
        return is_digit(c) ? INTEGER : sign ? SIGN : INVALID;
    case SIGN:
        return is_digit(c) ? INTEGER : INVALID;
    case INTEGER:
        return is_digit(c) ? INTEGER : c == '.' ? FRACTION : exponent ? EXPONENT : INVALID;
    case FRACTION:
        return is_digit(c) ? FRACTION : exponent ? EXPONENT : INVALID;
    case EXPONENT:
        return is_digit(c) ? SCIENTIFIC : sign ? EXPONENT_SIGN : INVALID;
    case EXPONENT_SIGN:
    case SCIENTIFIC:
        return is_digit(c) ? SCIENTIFIC : INVALID;
    default:
        return INVALID;
    }
}

/* In which state each number ends; what stands after the last comma is none. */
static uint16_t text_round(uint16_t crc) {
    uint32_t ends[STATES] = {0};
    enum state state = START;
    for (int i = 0; i < TEXT_BYTES; i++) {
        if (text[i] == ',') {
            ends[state]++;
            state = START;
        } else {
            state = step(state, text[i]);
        }
    }
    for (int i = 0; i < STATES; i++)
        crc = crc_number(crc, ends[i]);
    uint16_t place = next_random() % TEXT_BYTES;
    char moved = text[place];
    text[place] = text[0];
    text[0] = moved;
    return crc;
}

/* ---- Bytes ---- */

static uint16_t byte_round(uint16_t crc) {
    for (int i = 0; i < TEXT_BYTES; i++)
        crc = crc_byte(crc, (uint8_t)text[i]);
    return crc;
}

int main(int count, char **arguments) {
    unsigned long rounds = count > 1 ? strtoul(arguments[1], NULL, 10) : 2000;
    random_state = count > 2 ? (uint32_t)strtoul(arguments[2], NULL, 10) : 1;
    uint16_t list = 0, matrix = 0, states = 0, bytes = 0;
    make_list();
    make_matrices();
    make_text();
    clock_t begin = clock();
    for (unsigned long i = 0; i < rounds; i++) {
        list = list_round(list);
        matrix = matrix_round(matrix);
        states = text_round(states);
        bytes = byte_round(bytes);
    }
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    printf("list %04x, matrix %04x, states %04x, bytes %04x\n", list, matrix, states, bytes);
    if (seconds > 0)
        fprintf(stderr, "%.1f rounds/s\n", (double)rounds / seconds);
    return 0;
}
