/*
 * The profile that a kernel is made from: the text of /profile/JIT.PRF (store/profile_file.h), of
 * whichever build and CPU.
 */
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Function.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <vector>
extern "C" {
#include "kernel_lib/jit/store/profile_file.h"
}

namespace jit {

class ProfileReader {
  public:
    /* Reads the text for these functions, those of the application's bitcode. An error when it is
     * damaged, or has functions that are not among them. */
    static llvm::Expected<std::unique_ptr<ProfileReader>>
    read(llvm::StringRef text, llvm::ArrayRef<llvm::Function *> functions);

    const struct profile &head() const { return profile; }
    /* What it says of the index-th function. */
    const jit_history &of(size_t index) const { return records[index].earlier; }
    /* The index of a candidate's body. */
    size_t index_of(const jit_function *body) const {
        return static_cast<size_t>(body - records.data());
    }

  private:
    std::vector<std::string> names;
    std::vector<jit_function> records;
    std::vector<jit_function *> pointers;
    struct profile profile = {};
};

} // namespace jit
