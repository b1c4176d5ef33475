"""LLVM-libc's source, our patches to it, and the traps for what nobody should call."""
