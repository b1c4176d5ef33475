/* Standard output and error: both are the console. There are no other streams. A program that has
 * streams of its own (kernel_lib/hosted) brings LLVM-libc's instead. */
#include "kernel_lib/runtime.h"
#include <stdarg.h>

#define MAX_LINE 1024 /* longer formatted output is cut */

struct FILE {
    int unused;
};
static FILE console;
FILE *stdin, *stdout = &console, *stderr = &console;

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *stream);
int fputs(const char *string, FILE *stream);
int fputc(int character, FILE *stream);
int putchar(int character);
int puts(const char *string);
int fflush(FILE *stream);
int setvbuf(FILE *stream, char *buffer, int mode, size_t size);
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int sprintf(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

size_t fwrite(const void *bytes, size_t size, size_t count, FILE *stream) {
    (void)stream;
    console_write(bytes, size * count);
    return count;
}

int fputs(const char *string, FILE *stream) {
    (void)stream;
    console_puts(string);
    return 0;
}

int fputc(int character, FILE *stream) {
    char byte = (char)character;
    (void)stream;
    console_write(&byte, 1);
    return (unsigned char)byte;
}

int putchar(int character) {
    return fputc(character, stdout);
}

int puts(const char *string) {
    console_puts(string);
    return fputc('\n', stdout);
}

int fflush(FILE *stream) {
    (void)stream;
    return 0;
}

int setvbuf(FILE *stream, char *buffer, int mode, size_t size) {
    (void)stream, (void)buffer, (void)mode, (void)size;
    return 0;
}

int printf(const char *format, ...) {
    char line[MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length > 0)
        console_write(line, length < MAX_LINE ? (size_t)length : MAX_LINE - 1);
    return length;
}

int sprintf(char *text, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, SIZE_MAX / 2, format, arguments);
    va_end(arguments);
    return length;
}
