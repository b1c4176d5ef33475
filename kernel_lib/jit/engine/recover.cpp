/*
 * LLVM ends the program on fatal errors, and a trimmed LLVM lacks functions. The JIT can continue
 * without a function's code, so a long jump leaves LLVM. That is possible because LLVM is compiled
 * without exceptions, and there are no locks (glibc_abi/pthread.c).
 *
 * After the jump, nothing that LLVM was working on is used again:
 * - the LLVMContext: the program loads its module into a new one;
 * - passes, code generators and the linker's names: their owners abandon them (Compiler, Versions);
 * - a static variable that was being initialised: its initialisation begins again (once.cpp).
 * Their memory is lost, because to free it would run the same code. It is counted.
 */
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/engine/once.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/removed/removed.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/Support/ErrorHandling.h"
#include <new>

/* Only in images from which functions may be removed. */
#pragma weak removed_set_way_out
#pragma weak removed_take_over

using namespace llvm;

static void *way_out[5]; /* as __builtin_setjmp wants it */
static bool inside, missed, lacked;
static char reason[320];
static uint64_t used_before, lost;

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

static void on_removed_call(const struct removed_call *call) {
    char why[sizeof reason];
    missed = lacked = true;
    jit_log_event("{\"event\":\"trap\",\"removed\":true,\"name\":\"%.200s\",\"caller\":\"%.100s\","
                  "\"recovered\":true}",
                  call->name, call->caller);
    snprintf(why, sizeof why, "it takes %.150s, which was removed (%.80s)", call->name,
             call->noted ? "noted in /profile/MISSES.TXT" : call->error.text);
    give_up(why);
}

void jit::recover_from_now_on() {
    remove_fatal_error_handler(); /* those from the start */
    remove_bad_alloc_error_handler();
    install_fatal_error_handler(on_fatal_error);
    install_bad_alloc_error_handler(on_fatal_error);
    std::set_new_handler(on_lack_of_memory);
}

static void set_inside(bool on) {
    inside = on;
    if (removed_set_way_out)
        removed_set_way_out(on ? on_removed_call : nullptr);
}

/* How much more memory is in use than before the work. */
static uint64_t growth() {
    uint64_t now = memory_usage().used;
    return now > used_before ? now - used_before : 0;
}

Error jit::recovering(Program &program, function_ref<Error()> work) {
    used_before = memory_usage().used;
    lacked = false;
    if (__builtin_setjmp(way_out)) {
        set_inside(false);
        abandon_initialisation();
        program.abandon();
        lost += growth();
        return createStringError(reason);
    }
    set_inside(true);
    bool renewed = program.renew();
    program.context().setDiagnosticHandlerCallBack(on_diagnostic);
    Error error = work();
    set_inside(false);
    if (renewed) /* the new module is about as large as the lost one */
        lost += growth();
    return error;
}

bool jit_lacked_function(void) {
    return lacked;
}

bool jit_has_lacked_functions(void) {
    return missed;
}

uint64_t jit::lost_memory() {
    return lost;
}

void jit::hand_over_if_trimmed() {
    if (missed && removed_take_over)
        removed_take_over();
}
