/*
 * LLVM ends the program on errors that it thinks nobody can do anything about. But a function that
 * cannot be compiled just stays as it is, so the way out is a long jump: LLVM is compiled without
 * exceptions, and its few locks are not held when it calls these handlers.
 */
#include "kernel_lib/jit/llvm/recover.h"
#include "kernel_lib/jit/llvm/kernel.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/Support/ErrorHandling.h"
#include <new>

using namespace llvm;

static void *way_out[5]; /* as __builtin_setjmp wants it */
static bool inside;
static char reason[160];

static void give_up(const char *why) {
    if (!inside)
        panic("LLVM: %s", why);
    snprintf(reason, sizeof reason, "%s", why);
    __builtin_longjmp(way_out, 1);
}

static void on_fatal_error(void *, const char *why, bool) {
    give_up(why);
}

static void on_lack_of_memory() {
    give_up("no memory");
}

static void on_diagnostic(const DiagnosticInfo *info, void *) {
    if (info->getSeverity() != DS_Error)
        return;
    std::string text;
    raw_string_ostream stream(text);
    DiagnosticPrinterRawOStream printer(stream);
    info->print(printer);
    give_up(text.c_str());
}

void jit::recover_from_now_on(LLVMContext &context) {
    remove_fatal_error_handler(); /* those from the start */
    remove_bad_alloc_error_handler();
    install_fatal_error_handler(on_fatal_error);
    install_bad_alloc_error_handler(on_fatal_error);
    std::set_new_handler(on_lack_of_memory);
    context.setDiagnosticHandlerCallBack(on_diagnostic);
}

Error jit::recovering(function_ref<Error()> work) {
    if (__builtin_setjmp(way_out)) {
        inside = false;
        return createStringError(reason);
    }
    inside = true;
    Error error = work();
    inside = false;
    return error;
}
