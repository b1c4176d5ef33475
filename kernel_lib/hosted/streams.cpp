/* LLVM-libc's streams for standard output and error: the console. */
#include "hdr/stdio_macros.h"
#include "hdr/types/FILE.h"
#include "kernel_lib/hosted/console_stream.h"
extern "C" {
#include "kernel_lib/hosted/disk_files.h"
#include "kernel_lib/hosted/output.h"
#include "kernel_lib/program.h"
}

using namespace LIBC_NAMESPACE;

/* Only in programs that open files. */
#pragma weak program_close_files

namespace {

constexpr size_t BUFFER_BYTES = 1024;

FileIOResult write_output(File *, const void *bytes, size_t size) {
    if (redirected_output)
        return redirected_output->write(bytes, size);
    program_output(static_cast<const char *>(bytes), size);
    return size;
}

FileIOResult write_error(File *, const void *bytes, size_t size) {
    if (redirected_error)
        return redirected_error->write(bytes, size);
    program_error(static_cast<const char *>(bytes), size);
    return size;
}

uint8_t output_buffer[BUFFER_BYTES];
File output(write_output, nullptr, cannot_seek, close_redirected<redirected_output>, output_buffer,
            BUFFER_BYTES, _IOLBF, false, File::ModeFlags(File::OpenMode::APPEND));
File error_output(write_error, nullptr, cannot_seek, close_redirected<redirected_error>, nullptr, 0,
                  _IONBF, false, File::ModeFlags(File::OpenMode::APPEND));

} // namespace

namespace LIBC_NAMESPACE_DECL {

File *stdout = &output;
File *stderr = &error_output;

} // namespace LIBC_NAMESPACE_DECL

extern "C" {
FILE *stdout = reinterpret_cast<FILE *>(&output);
FILE *stderr = reinterpret_cast<FILE *>(&error_output);

void program_flush(void) {
    output.flush();
    if (program_close_files)
        program_close_files();
    program_output_end();
}
}
