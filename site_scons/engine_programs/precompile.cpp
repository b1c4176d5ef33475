/*
 * Makes the application's bitcode ready to be compiled by the build for /export, which compiles
 * what a profile makes a difference to (kernel_lib/jit/export/precompiled.h):
 *
 *   precompile APP.BC LIBC.BC OUTPUT.BC
 *
 * It is the same module that the guest makes of the same files, so names are the same. Another
 * definition may take the place of each function.
 */
#include "kernel_lib/jit/engine/bitcode.h"
#include "kernel_lib/jit/engine/extract.h"
#include "kernel_lib/jit/export/functions.h"
#include "kernel_lib/jit/export/precompiled.h"
#include "kernel_lib/jit/export/temperature.h"
#include "site_scons/engine_programs/files.h"
#include "site_scons/engine_programs/prepare.h"
#include "llvm/Support/InitLLVM.h"

using namespace llvm;

/* To save room, functions that one place calls are parts of their callers. If that is in no loop, a
 * caller of hot ones is as hot: the code that the machine compiles for them is not missed there. */
static void inline_parts(Module &module) {
    for (Function &function : module)
        if (!function.isDeclaration() && jit::is_part_of_caller(function)) {
            auto *call = cast<CallBase>(function.user_back());
            if (!jit::is_in_loop(*call))
                call->addFnAttr(Attribute::AlwaysInline);
        }
}

static void make_replaceable(Module &module) {
    for (Function &function : module) {
        if (!jit::is_defined(function))
            continue;
        jit::mark(function, jit::Temperature::warm);
        function.setLinkage(GlobalValue::WeakODRLinkage);
        if (function.getName() != jit::APP_MAIN)
            function.setVisibility(GlobalValue::HiddenVisibility);
    }
    for (GlobalVariable &variable : module.globals()) {
        if (!jit::is_defined(variable) || variable.hasAppendingLinkage())
            continue;
        if (variable.hasLinkOnceLinkage())
            variable.setLinkage(GlobalValue::WeakODRLinkage);
        variable.setVisibility(GlobalValue::HiddenVisibility);
    }
}

int main(int argc, char **argv) {
    InitLLVM init(argc, argv);
    if (argc != 4)
        fail("APP.BC LIBC.BC OUTPUT.BC");
    auto application = read(argv[1]), libc = read(argv[2]);
    LLVMContext context;
    jit::Bitcode bitcode = jit::load_bitcode(context, application->getBuffer(), libc->getBuffer());
    jit::list_constructors(bitcode);
    inline_parts(*bitcode.module);
    make_replaceable(*bitcode.module);
    write(argv[3], *bitcode.module);
}
