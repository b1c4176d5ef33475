/*
 * Puts what a profile says into the application's bitcode, as /export does it in the guest, and
 * compiles it as that does if the output is to be an object:
 *
 *   apply_profile APP.BC LIBC.BC JIT.PRF OUTPUT.BC
 *   apply_profile APP.BC LIBC.BC JIT.PRF OUTPUT.o
 */
#include "kernel_lib/jit/export/application.h"
#include "site_scons/engine_programs/files.h"
#include "site_scons/engine_programs/prepare.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/TargetSelect.h"

using namespace llvm;

/* The functions of LLVM-libc's that the application's calls may become. */
static bool exists(StringRef name) {
    static const StringSet<> names = {"memcpy", "memmove", "memset", "memcmp", "strlen"};
    return names.contains(name);
}

static void compile(StringRef application, StringRef libc, StringRef profile, const char *path) {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
    auto compiled =
        jit::compile_application(application, libc, profile, exists, [] { return true; });
    if (!compiled)
        fail(toString(compiled.takeError()));
    write(path, [&](raw_ostream &output) {
        output << StringRef(compiled->object.data(), compiled->object.size());
    });
}

int main(int argc, char **argv) {
    InitLLVM init(argc, argv);
    if (argc != 5)
        fail("APP.BC LIBC.BC JIT.PRF OUTPUT");
    auto application = read(argv[1]), libc = read(argv[2]), profile = read(argv[3]);
    if (StringRef(argv[4]).ends_with(".o")) {
        compile(application->getBuffer(), libc->getBuffer(), profile->getBuffer(), argv[4]);
        return 0;
    }
    LLVMContext context;
    jit::Bitcode bitcode = jit::load_bitcode(context, application->getBuffer(), libc->getBuffer());
    auto learnt = jit::prepare_application(bitcode, profile->getBuffer());
    if (!learnt)
        fail(toString(learnt.takeError()));
    write(argv[4], *bitcode.module);
}
