#include "kernel_lib/jit/engine/profiled_arguments.h"

namespace jit {

bool is_profiled(const llvm::Type *type) {
    return type->isIntegerTy() && type->getIntegerBitWidth() <= 64;
}

llvm::SmallVector<llvm::Argument *, JIT_ARGUMENTS> profiled_arguments(llvm::Function &function) {
    llvm::SmallVector<llvm::Argument *, JIT_ARGUMENTS> found;
    for (llvm::Argument &argument : function.args())
        if (found.size() < JIT_ARGUMENTS && is_profiled(argument.getType()))
            found.push_back(&argument);
    return found;
}

} // namespace jit
