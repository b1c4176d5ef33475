/*
 * Files and errors of the build's programs that are linked with the engine.
 */
#pragma once
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/WithColor.h"
#include <cstdarg>
#include <cstdio>

/* Ends the program with an error. */
[[noreturn]] inline void fail(const llvm::Twine &message) {
    llvm::WithColor::error() << message << '\n';
    exit(1);
}

/* The engine's way out (kernel_lib/runtime.h). */
extern "C" [[noreturn]] inline __attribute__((used)) void panic(const char *format, ...) {
    char message[500];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    fail(message);
}

inline std::unique_ptr<llvm::MemoryBuffer> read(const char *path) {
    auto buffer = llvm::MemoryBuffer::getFile(path);
    if (!buffer)
        fail(llvm::Twine(path) + ": " + buffer.getError().message());
    return std::move(*buffer);
}

inline void write(const char *path, llvm::function_ref<void(llvm::raw_ostream &)> content) {
    std::error_code error;
    llvm::raw_fd_ostream output(path, error);
    if (error)
        fail(llvm::Twine(path) + ": " + error.message());
    content(output);
}

/* Writes bitcode. */
inline void write(const char *path, const llvm::Module &module) {
    write(path, [&](llvm::raw_ostream &output) { llvm::WriteBitcodeToFile(module, output); });
}
