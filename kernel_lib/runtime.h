/*
 * kernel_lib's public face: what the application sees of the machine.
 * Everything here is a direct call in ring 0. The same functions exist on
 * platform=linux (kernel_lib/platform/linux/platform.c); those marked [bare] do not.
 */
#pragma once
#include "error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Console: serial line and, on the bare machine, screen and keyboard at once ---- */

/* Writes size bytes. "\n" becomes CR LF on serial. */
void console_write(const char *bytes, size_t size);
/* Writes a zero-terminated string. */
void console_puts(const char *string);
/* printf to the console, without floats. Control characters other than line breaks and tabs are
 * left out, so that no text from elsewhere can steer a terminal; lines of more than 511 bytes are
 * cut and end in "...". */
void console_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same about how far something is. With platform=linux it goes to standard error, because it is
 * no part of what the program prints. */
void console_progress(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Waits for the next byte typed on the keyboard or received on the serial line; -1 at end of input
 * (platform=linux only). Enter is '\n', also where CR and LF come for it, backspace '\b'; the keys
 * without a character send what they send on a terminal: arrows ESC [ A to D, Home ESC [ H, End ESC
 * [ F, Delete ESC [ 3 ~. */
int console_getchar(void);
/* The same without waiting: -1 when no byte waits. */
int console_read(void);
/* Waits until console_read() has something to give: a byte, or the end of input. Waits at most
 * this long; the bare machine rounds up to the BIOS timer's 55 ms. Returns whether there is
 * something. */
bool console_wait(unsigned milliseconds);
/* Writes one line "@bareflow {...}\n" for programs to the serial line (not the screen). The format
 * makes one JSON object, of any length. Every %s is inside of a string; what JSON wants escaped is
 * escaped. There are %d, %u, %x (with l, ll, z and a width of zeros) and %s (with a precision). */
void console_event(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same for an object that is made (json_format in io/utf8.h). */
void console_event_made(const char *json);

/*
 * The program's result, a text. The events text_begin and text_end are around it, so that programs
 * can tell it from everything else. It is written as UTF-8 without control characters other than
 * line breaks and tabs, with U+FFFD for what is malformed. A character may be divided between two
 * calls. Other output before its end (messages, events, the report of an exception) interrupts it;
 * the next call of console_text continues it.
 */
void console_text_begin(void);
void console_text(const char *bytes, size_t size);
void console_text_end(void);

/* Shows text on the screen's last row, which from then on has nothing else. Does nothing where the
 * console has no screen. */
void console_status(const char *text);

/* [bare] VGA text mode, 80x25 (io/terminal.c). */
void terminal_init(void);
void terminal_write(const char *bytes, size_t size);
void terminal_puts(const char *string);
void vga_init(void);
void vga_puts(const char *string);
/* [bare] COM1, 115200 8N1 (io/serial.c). */
void serial_init(void);
void serial_puts(const char *string);
void serial_write(const char *bytes, size_t size);
int serial_read(void); /* next received byte, or -1 when none waits */
/* [bare] PS/2 keyboard by interrupt, US layout (io/keyboard.c). keyboard_getchar waits;
 * keyboard_read returns -1 when no key waits. */
int keyboard_getchar(void);
int keyboard_read(void);

/* ---- Processor ---- */

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};
/* Time-stamp counter (Intel SDM vol. 2, RDTSC). */
static inline uint64_t cpu_rdtsc(void) {
    return __builtin_ia32_rdtsc();
}
/* CPUID leaf and subleaf (Intel SDM vol. 2, CPUID). */
static inline struct cpuid cpu_cpuid(uint32_t leaf, uint32_t subleaf) {
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}
/* What this CPU and the state that the kernel enabled in XCR0 allow. */
struct cpu_features {
    bool avx2, avx512, avx512_vnni; /* usable now: CPUID and XCR0 both say so; AVX2 with F16C */
    bool tcg;                       /* QEMU's software emulation, by its hypervisor leaf */
    char vendor[13], brand[49];
};
const struct cpu_features *cpu_features(void);
/* TSC cycles per second; measured against the PIT on first use (bare) or the OS clock (linux). */
uint64_t cpu_cycles_per_second(void);

/* What FS points to from now on: the thread's control block, with its variables below it (System V
 * ABI for x86-64, thread-local storage). */
void platform_set_thread_pointer(void *block);

/* ---- Memory: malloc, calloc, realloc, free, aligned_alloc are declared by stdlib.h ---- */

struct memory_usage {
    uint64_t total; /* bytes of RAM given to the heap */
    uint64_t used;  /* bytes allocated now */
    uint64_t peak;  /* most bytes ever allocated at once */
};
struct memory_usage memory_usage(void);

/* ---- Files: the FAT partition that was booted from (bare), or a directory (linux) ---- */

/* Whether there is a disk with files on it; *error says why not. */
bool files_ready(struct error *error);
struct file; /* open file; allocated by file_open */
/* Opens path ("/data/words.txt"; case-insensitive, long names) for reading. NULL and *error if it
 * cannot. */
struct file *file_open(const char *path, struct error *error);
uint64_t file_size(const struct file *file);
/* Reads exactly size bytes at offset; false and *error if it cannot. */
bool file_read(struct file *file, uint64_t offset, void *buffer, size_t size, struct error *error);
void file_close(struct file *file);
/* Whether the disk has a file at this path. */
static inline bool file_exists(const char *path) {
    struct error ignored;
    struct file *file = file_open(path, &ignored);
    if (file)
        file_close(file);
    return file != NULL;
}
/* Replaces (or makes) the file path with size bytes, so that a power cut at any moment leaves
 * either the old file or the new one; where the disk can only be reached through the BIOS, the new
 * one may be lost or cut short (docs/disk.md). Names are 8.3; the directory must exist. */
bool file_replace(const char *path, const void *bytes, size_t size, struct error *error);
/* Deletes a file; false and *error if it cannot, or there is none. [bare] Only a file that
 * file_replace has written, and nobody else since. A power cut leaves the file, or clusters without
 * an owner. Where a flush is not possible, its room is free after the next power-on. */
bool file_delete(const char *path, struct error *error);
/*
 * Files that are changed in place, such as a database's. What is written is on the medium when
 * file_flush has returned. A power cut before that leaves the size that the file had at the last
 * flush, and each of its sectors (512 bytes) as it was then or as it was written since; where the
 * disk can only be reached through the BIOS, it may also leave an empty file. The other files of
 * the disk stay whole.
 */
/* Opens a file to be read and changed, or makes an empty one. It must not be open otherwise, nor be
 * replaced or deleted while it is open. Names as in file_replace. [bare] It takes 65 KiB of memory
 * until it is closed. */
struct file *file_open_writable(const char *path, struct error *error);
/* Writes size bytes at offset. A file becomes longer by what is written behind its end; a gap reads
 * as zeros. */
bool file_write(struct file *file, uint64_t offset, const void *bytes, size_t size,
                struct error *error);
/* Makes a file shorter, and flushes. */
bool file_truncate(struct file *file, uint64_t size, struct error *error);
/* Brings all that was written to the medium. So does file_close, which does not say if it fails. */
bool file_flush(struct file *file, struct error *error);
/* Whether a write failed because of the disk itself (removed, broken). Such a failure may take
 * seconds. From then on every write fails at once. A caller that nobody has asked to write need not
 * report that. */
bool files_stopped(void);
/* Lets the next write try the disk again, because a person has asked for it. */
void files_resume(void);

/* ---- Boot slots: a disk may hold a second kernel, which the loader boots when this one does not
 * come up (boot/boot_slots.h) ---- */

/*
 * Tells the loader that this kernel works, so that the loader keeps booting it. A failure is not
 * reported: it costs the kernel one of its attempts. Only the first call does something. On a disk
 * with one kernel, and on Linux, no call does.
 */
void boot_slots_report_success(void);
/*
 * [bare] Makes the next boot, and only that one, a boot of the other kernel. A kernel that cannot
 * continue calls it before platform_reboot. False and *error if the disk has no other kernel, or
 * one that the loader has just failed to boot, or cannot be written.
 */
bool boot_slots_fall_back(struct error *error);

/* ---- Snapshots: kernels that a kernel has written to /boot/snapshots (docs/life.md) ---- */

/* What is to be a snapshot. */
struct new_snapshot {
    const char *kind;   /* "trimmed" or "native" */
    const void *kernel; /* its file (boot/kernel_header.h) */
    size_t size;
    const char *features; /* instruction sets that it needs (instruction_sets.h); "": none */
    const char *model;    /* the model that it was made for (jit_note_model); "": any */
};

/* Writes a kernel file as a snapshot, and makes it the next boot's kernel, with the one that runs
 * now as its parent. False with *error, and nothing is changed but a file that nobody uses, when
 * the disk is full or fails. */
bool snapshots_add(const struct new_snapshot *snapshot, struct error *error);
/* This kernel does not fit: the reason is the rest of a sentence that begins with its name. Makes
 * the newest older snapshot that fits this CPU, and the model (NULL: any), the kernel that is
 * booted from now on; without one, this kernel's parent. Prints a line, sends an event
 * "passed_over", and restarts the machine. Returns when there is no other kernel, or the disk
 * cannot be written, about which there is a warning. */
void snapshots_pass_over(const char *reason, const char *model);
/* boot_slots_report_success(), and the index notes that this kernel works, which takes a flush of
 * the disk: for when nobody waits. */
void snapshots_report_success(void);
/* Restarts the machine with another kernel if the setting "boot" names one, unless a key has chosen
 * this one. A name that is not possible is a warning. */
void snapshots_choose(void);
/* The same with /boot/BAREFLOW.KRN if that is another one than this snapshot goes back to, unless a
 * person has chosen this one. */
void snapshots_check_root(void);
/* Whether the next boot takes the kernel that runs now. Where nothing boots, false. */
bool snapshots_is_next(void);
/* Whether this kernel was booted because the newest one did not come up; until
 * snapshots_report_success(). */
bool snapshots_successor_failed(void);
/* Prints the snapshots, and tells programs of each in an event "life". */
void snapshots_print(void);

/* ---- Configuration: /boot/BAREFLOW.CFG, overridden by fw_cfg opt/bareflow/config (bare) or by the
 * command line (linux) ---- */

/* The value of key, or NULL. The string lives as long as the program. From then on the key counts
 * as known. */
const char *config_get(const char *key);
/* Says on the console which keys are set but unknown, of those that begin with prefix ("": all),
 * and which are known: to be called once, when all those keys have been asked for. Returns how many
 * are unknown. */
size_t config_report_unknown(const char *prefix);

/* ---- The program itself ---- */

/* The id of this build of the program: 32 hexadecimal digits. */
const char *platform_build_id(void);
/* The id of the build whose functions, at whose addresses, the program has. It differs from
 * platform_build_id() only in a kernel that another one has made as a trimmed copy of itself. In
 * variants with a JIT. */
const char *platform_code_id(void);

/* ---- End ---- */

/* Ends the program. Bare: by isa-debug-exit when QEMU offers it, else ACPI power-off. Linux: by
 * exit. */
_Noreturn void platform_exit(int code);
/* Restarts the machine (bare), or ends the program (linux). */
_Noreturn void platform_reboot(void);
/* From now on platform_exit and platform_reboot call this function first, for what has to be saved;
 * a panic does not. There is one such function, the last one given. */
void platform_on_exit(void (*function)(void));
/* Prints "panic: <message>" and a backtrace and stops with code 1. For defects of ours, not for bad
 * input. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The application's entry: kernel_lib calls it once the machine is ready. Returns the exit code. */
int app_main(void);
