/* What the kernel contains when it runs other bitcode (the setting `bitcode`). */
int main(void) {
    return 0;
}
