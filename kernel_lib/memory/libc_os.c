/* What LLVM-libc wants from its operating system (libc/src/errno). */

int *__llvm_libc_errno(void);
int *__llvm_libc_errno(void) {
    static int value;
    return &value;
}
