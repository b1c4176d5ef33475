/*
 * Bitcode and profiles for the tests of what an export makes of both.
 */
#pragma once
#include "tests/host/check.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Support/SourceMgr.h"
#include <string>
extern "C" {
#include "kernel_lib/crc32.h"
}

extern "C" [[noreturn]] inline __attribute__((used)) void panic(const char *, ...) {
    CHECK(!"panic");
    abort();
}

/* How a profile begins. */
inline const char HEAD[] = "bareflow jit profile 1\nbuild maker\ncpu c\nboots 3 max_level 4\n"
                           "features avx2,avx\nmodel dim=64\n";

/* A profile's text with the line that seals it. */
inline std::string sealed(const std::string &text) {
    char line[16];
    sprintf(line, "crc %08x\n", crc32_update(0, text.data(), text.size()));
    return text + line;
}

inline std::unique_ptr<llvm::Module> parsed(llvm::LLVMContext &context, const char *assembly) {
    llvm::SMDiagnostic problem;
    auto module = llvm::parseAssemblyString(assembly, problem, context);
    if (!module)
        problem.print("", llvm::errs());
    CHECK(module);
    return module;
}

inline std::string bitcode_of(const char *assembly) {
    llvm::LLVMContext context;
    std::string bytes;
    llvm::raw_string_ostream stream(bytes);
    llvm::WriteBitcodeToFile(*parsed(context, assembly), stream);
    return bytes;
}
