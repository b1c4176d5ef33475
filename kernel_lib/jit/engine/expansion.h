/*
 * How large a function becomes when others are inlined into it, and others into these.
 */
#pragma once
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Function.h"
#include <memory>

namespace jit {

class Expansion {
  public:
    /* A function that others are inlined into. */
    void add_root(const llvm::Function &function);
    /* Lets the function be inlined at every call, unless a root would then have grown by more than
     * `limit` instructions. Returns whether it is inlined. */
    bool add_inlined(const llvm::Function &function, uint64_t limit);

  private:
    struct Body {
        uint64_t own = 0;      /* instructions */
        uint64_t expanded = 0; /* with what is inlined; 0: not known */
        bool inlined = false, visited = false;
        llvm::SmallVector<const llvm::Function *, 8> calls; /* one for each place */
    };

    Body &look_at(const llvm::Function &function);
    uint64_t expand(Body &body, uint64_t limit);
    bool fits(Body &root, uint64_t limit);

    llvm::DenseMap<const llvm::Function *, std::unique_ptr<Body>> bodies;
    llvm::SmallVector<Body *, 2> roots;
};

} // namespace jit
