/*
 * Puts what a profile says into the application's bitcode, as /export does it in the guest:
 *
 *   apply_profile APP.BC LIBC.BC JIT.PRF OUTPUT.BC
 */
#include "kernel_lib/jit/export/prepare.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/WithColor.h"
#include <cstdarg>
#include <cstdio>

using namespace llvm;

[[noreturn]] static void fail(const Twine &message) {
    WithColor::error(errs(), "apply_profile") << message << '\n';
    exit(1);
}

/* The engine's way out (kernel_lib/runtime.h). */
extern "C" [[noreturn]] void panic(const char *format, ...) {
    char message[500];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    fail(message);
}

static std::unique_ptr<MemoryBuffer> read(const char *path) {
    auto buffer = MemoryBuffer::getFile(path);
    if (!buffer)
        fail(Twine(path) + ": " + buffer.getError().message());
    return std::move(*buffer);
}

int main(int argc, char **argv) {
    InitLLVM init(argc, argv);
    if (argc != 5)
        fail("APP.BC LIBC.BC JIT.PRF OUTPUT.BC");
    auto application = read(argv[1]), libc = read(argv[2]), profile = read(argv[3]);
    LLVMContext context;
    jit::Bitcode bitcode = jit::load_bitcode(context, application->getBuffer(), libc->getBuffer());
    auto learnt = jit::prepare_application(bitcode, profile->getBuffer());
    if (!learnt)
        fail(toString(learnt.takeError()));
    std::error_code error;
    raw_fd_ostream output(argv[4], error);
    if (error)
        fail(Twine(argv[4]) + ": " + error.message());
    WriteBitcodeToFile(*bitcode.module, output);
}
