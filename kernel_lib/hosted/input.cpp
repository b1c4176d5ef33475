/* LLVM-libc's stream for standard input: the console. */
#include "hdr/stdio_macros.h"
#include "hdr/types/FILE.h"
#include "kernel_lib/hosted/console_stream.h"
extern "C" {
#include "kernel_lib/hosted/output.h"
#include "kernel_lib/runtime.h"
}

using namespace LIBC_NAMESPACE;

namespace {

constexpr size_t BUFFER_BYTES = 1024;
constexpr int END_OF_INPUT = 4; /* Ctrl-D */

/* One line, or as much of it as there is room for. What is asked for is on the screen before. */
FileIOResult read_input(File *, void *buffer, size_t size) {
    static bool has_ended;
    if (redirected_input)
        return redirected_input->read(buffer, size);
    auto *line = static_cast<char *>(buffer);
    size_t length = 0;
    LIBC_NAMESPACE::stdout->flush();
    while (length < size && !has_ended) {
        int byte = console_getchar();
        if (byte < 0 || byte == END_OF_INPUT) {
            has_ended = true;
            break;
        }
        line[length++] = static_cast<char>(byte);
        if (byte == '\n')
            break;
    }
    return length;
}

uint8_t input_buffer[BUFFER_BYTES];
File input(nullptr, read_input, cannot_seek, close_redirected<redirected_input>, input_buffer,
           BUFFER_BYTES, _IOLBF, false, File::ModeFlags(File::OpenMode::READ));

} // namespace

namespace LIBC_NAMESPACE_DECL {

File *stdin = &input;

} // namespace LIBC_NAMESPACE_DECL

extern "C" {
FILE *stdin = reinterpret_cast<FILE *>(&input);
}
