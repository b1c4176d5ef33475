/*
 * What LLVM and libstdc++ initialise at its first use.
 */
#pragma once

namespace jit {

/* Abandons what is being initialised now, because a long jump has left it. Its next use begins
 * again. */
void abandon_initialisation();

} // namespace jit
