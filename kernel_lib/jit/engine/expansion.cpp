/* How large functions become by inlining. */
#include "kernel_lib/jit/engine/expansion.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"

namespace jit {

using llvm::Function;

Expansion::Body &Expansion::look_at(const Function &function) {
    std::unique_ptr<Body> &body = bodies[&function];
    if (body)
        return *body;
    body = std::make_unique<Body>();
    body->own = function.getInstructionCount();
    for (const llvm::Instruction &instruction : llvm::instructions(function))
        if (const auto *call = llvm::dyn_cast<llvm::CallBase>(&instruction))
            if (const Function *called = call->getCalledFunction())
                if (!called->isDeclaration())
                    body->calls.push_back(called);
    return *body;
}

/* Stops counting above the limit. A call that leads back to a function in which it already is, is
 * not inlined. */
uint64_t Expansion::expand(Body &body, uint64_t limit) {
    if (body.expanded || body.visited)
        return body.expanded;
    body.visited = true;
    uint64_t size = body.own;
    for (const Function *called : body.calls) {
        auto found = bodies.find(called);
        if (found != bodies.end() && found->second->inlined)
            size += expand(*found->second, limit);
        if (size > limit)
            break;
    }
    body.visited = false;
    return body.expanded = size;
}

bool Expansion::fits(Body &root, uint64_t limit) {
    limit += root.own;
    return expand(root, limit) <= limit;
}

void Expansion::add_root(const Function &function) {
    Body &body = look_at(function);
    if (!llvm::is_contained(roots, &body))
        roots.push_back(&body);
}

bool Expansion::add_inlined(const Function &function, uint64_t limit) {
    Body &body = look_at(function);
    body.inlined = true;
    for (auto &[key, other] : bodies)
        other->expanded = 0;
    body.inlined = llvm::all_of(roots, [&](Body *root) { return fits(*root, limit); });
    return body.inlined;
}

} // namespace jit
