/*
 * Runs a Linux program, and notes which instructions of a range of its code run: in processor time
 * hardly more than the program itself takes.
 *
 *     executed START SIZE RANGES BITS PROGRAM [ARGUMENT...]
 *
 * RANGES is a file of pairs of u64, begin and end: the bytes of that range, from 0, that are
 * instructions and nothing else. BITS is a file with one bit for each byte of the range, the lowest
 * bit first, as QEMU's plugin (qemu_plugin/translated.c) writes it. What ran is added to it; a file
 * that does not exist yet is made. The exit status is the program's, or 99 if it could not be
 * watched.
 *
 * All instructions that have not run yet are INT3. When one is reached, the processor runs it
 * and those that follow it step by step (ptrace), until it comes to one that has run before. So
 * each instruction is stepped over once, and what has run in an earlier run with these BITS,
 * never.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_WATCHED = 99, BITS = 8, INT3 = 0xcc, LONGEST = 15, WINDOW = 64, WINDOWS = 64 };

static uint64_t start, size;
static uint8_t *original; /* the program's code */
static uint8_t *current;  /* the same with INT3 where nothing has run */
static uint8_t *ran;      /* a bit for each byte */
static int memory;        /* the program's */
static pid_t program;

/* Parts of the code that are whole while it is stepped through. */
static uint64_t windows[WINDOWS];
static int windows_open;

static void fail(const char *what) {
    perror(what);
    if (program > 0)
        kill(program, SIGKILL);
    exit(NOT_WATCHED);
}

static void *allocate(size_t bytes) {
    void *block = calloc(bytes, 1);
    if (!block)
        fail("memory");
    return block;
}

static bool has_run(uint64_t offset) {
    return ran[offset / BITS] >> offset % BITS & 1;
}

/* Whether the instruction at an offset has not been seen to run, and is watched. */
static bool is_new(uint64_t offset) {
    return offset < size && !has_run(offset) && current[offset] == INT3;
}

static void write_code(uint64_t offset, const uint8_t *code, size_t length) {
    if (pwrite(memory, code, length, (off_t)(start + offset)) != (ssize_t)length)
        fail("the program's code cannot be changed");
}

static size_t in_window(uint64_t offset) {
    return size - offset < WINDOW ? size - offset : WINDOW;
}

static void open_window(uint64_t offset) {
    offset -= offset % WINDOW;
    for (int i = 0; i < windows_open; i++)
        if (windows[i] == offset)
            return;
    windows[windows_open++] = offset;
    write_code(offset, original + offset, in_window(offset));
}

static void close_windows(void) {
    for (; windows_open > 0; windows_open--) {
        uint64_t offset = windows[windows_open - 1];
        write_code(offset, current + offset, in_window(offset));
    }
}

/* Bytes of an operand in memory or a register, from its ModRM byte on (Intel SDM volume 2, 2.1). */
static unsigned modrm_length(const uint8_t *at) {
    unsigned mode = at[0] >> 6, operand = at[0] & 7;
    if (mode == 3)
        return 1;
    unsigned with_sib = operand == 4, length = 1 + with_sib;
    unsigned base = with_sib ? at[1] & 7 : operand;
    if (mode == 0)
        return length + (base == 5 ? 4 : 0);
    return length + (mode == 1 ? 1 : 4);
}

/* Bytes of a branch. Of another instruction the most that there can be: a part that has run may be
 * taken for longer than it is, never for shorter. */
static unsigned branch_length(const uint8_t *at) {
    unsigned prefixes = 0;
    while (prefixes < 4 && (at[prefixes] == 0x66 || at[prefixes] == 0x3e || at[prefixes] == 0xf2 ||
                            at[prefixes] == 0xf3 || (at[prefixes] & 0xf0) == 0x40))
        prefixes++;
    at += prefixes;
    if (*at == 0xe8 || *at == 0xe9) /* call, jmp */
        return prefixes + 5;
    if (*at == 0xeb || (*at & 0xf0) == 0x70) /* jmp, jcc */
        return prefixes + 2;
    if (*at == 0xc3) /* ret */
        return prefixes + 1;
    if (*at == 0x0f && (at[1] & 0xf0) == 0x80) /* jcc */
        return prefixes + 6;
    if (*at == 0xff) /* call, jmp of an operand */
        return prefixes + 1 + modrm_length(at + 1);
    return LONGEST;
}

static void note(uint64_t offset, unsigned length) {
    for (uint64_t end = offset + length; offset < end && offset < size; offset++) {
        ran[offset / BITS] |= (uint8_t)(1 << offset % BITS);
        current[offset] = original[offset];
    }
}

/* Lets the program run on in a way of ptrace(2) and waits until it stops; false if it has ended. */
static bool resume(enum __ptrace_request how, int signal_number, int *status) {
    if (ptrace(how, program, NULL, signal_number) != 0 || waitpid(program, status, 0) != program)
        fail("ptrace");
    return WIFSTOPPED(*status);
}

static uint64_t instruction_pointer(void) {
    errno = 0;
    long value = ptrace(PTRACE_PEEKUSER, program, offsetof(struct user, regs.rip), NULL);
    if (errno)
        fail("ptrace");
    return (uint64_t)value;
}

/* Steps through new code. Gives the signal that the program got instead of a step; 0: it has come
 * to code that has run, or that is not watched; -1: it has ended. */
static int step_through(uint64_t offset, int *status) {
    int got = 0;
    while (!got && is_new(offset)) {
        if (windows_open + 2 > WINDOWS)
            close_windows();
        open_window(offset);
        if (offset + LONGEST <= size)
            open_window(offset + LONGEST - 1);
        if (!resume(PTRACE_SINGLESTEP, 0, status))
            return -1;
        uint64_t next = instruction_pointer() - start;
        if (WSTOPSIG(*status) != SIGTRAP) {
            got = WSTOPSIG(*status); /* the instruction runs when the signal's handler has */
        } else if (next != offset) { /* one with a prefix REP is not at its end */
            uint64_t length = next - offset;
            note(offset, length <= LONGEST ? (unsigned)length : branch_length(original + offset));
        }
        offset = next;
    }
    close_windows();
    return got;
}

static int watch(void) {
    int status, pass_on = 0;
    while (resume(PTRACE_CONT, pass_on, &status)) {
        pass_on = WSTOPSIG(status);
        uint64_t offset = instruction_pointer() - 1 - start;
        if (pass_on != SIGTRAP || !is_new(offset))
            continue;
        if (ptrace(PTRACE_POKEUSER, program, offsetof(struct user, regs.rip), start + offset) != 0)
            fail("ptrace");
        pass_on = step_through(offset, &status);
        if (pass_on < 0)
            break;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Reads a whole file; NULL if there is none. */
static uint8_t *read_file(const char *path, size_t *length) {
    struct stat about;
    int file = open(path, O_RDONLY);
    if (file < 0)
        return NULL;
    if (fstat(file, &about) != 0)
        fail(path);
    *length = (size_t)about.st_size;
    uint8_t *data = allocate(*length + 1);
    if (read(file, data, *length) != (ssize_t)*length)
        fail(path);
    close(file);
    return data;
}

static void read_bits(const char *path) {
    size_t length, expected = (size + BITS - 1) / BITS;
    ran = read_file(path, &length);
    if (ran && length != expected) {
        fprintf(stderr, "%s is of another program\n", path);
        exit(NOT_WATCHED);
    }
    if (!ran)
        ran = allocate(expected);
}

static void write_bits(const char *path) {
    size_t length = (size + BITS - 1) / BITS;
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(ran, 1, length, file) != length || fclose(file) != 0)
        fail(path);
}

static void place_breakpoints(const char *path) {
    size_t length;
    uint64_t *ranges = (uint64_t *)read_file(path, &length);
    if (!ranges || length % (2 * sizeof *ranges) != 0)
        fail(path);
    original = allocate(size + LONGEST);
    current = allocate(size);
    if (pread(memory, original, size, (off_t)start) != (ssize_t)size)
        fail("the program's code cannot be read");
    memcpy(current, original, size);
    for (size_t i = 0; i < length / sizeof *ranges; i += 2)
        for (uint64_t at = ranges[i]; at < ranges[i + 1] && at < size; at++)
            if (!has_run(at))
                current[at] = INT3;
    write_code(0, current, size);
    free(ranges);
}

static void start_program(char **command) {
    program = fork();
    if (program < 0)
        fail("fork");
    if (program == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0)
            execv(command[0], command);
        perror(command[0]);
        _exit(NOT_WATCHED);
    }
    int status;
    if (waitpid(program, &status, 0) != program || !WIFSTOPPED(status))
        exit(NOT_WATCHED);
    if (ptrace(PTRACE_SETOPTIONS, program, NULL, PTRACE_O_EXITKILL) != 0)
        fail("ptrace");
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", program);
    memory = open(path, O_RDWR);
    if (memory < 0)
        fail(path);
}

int main(int count, char **arguments) {
    if (count < 6) {
        fputs("executed START SIZE RANGES BITS PROGRAM [ARGUMENT...]\n", stderr);
        return NOT_WATCHED;
    }
    start = strtoull(arguments[1], NULL, 0);
    size = strtoull(arguments[2], NULL, 0);
    read_bits(arguments[4]);
    start_program(arguments + 5);
    place_breakpoints(arguments[3]);
    int code = watch();
    write_bits(arguments[4]);
    return code;
}
