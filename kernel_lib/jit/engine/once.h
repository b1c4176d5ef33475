/*
 * What LLVM and libstdc++ initialise at its first use.
 */
#pragma once

namespace jit {

/* What is being initialised now never will be: a long jump has left it. Its next use begins again.
 */
void abandon_initialisation();

} // namespace jit
