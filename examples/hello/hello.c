/* Greets who is named by the arguments, or everyone who is named on standard input. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
    char name[80];
    for (int i = 1; i < argc; i++)
        printf("Hello, %s!\n", argv[i]);
    if (argc > 1)
        return EXIT_SUCCESS;
    while (fgets(name, sizeof name, stdin)) {
        name[strcspn(name, "\n")] = '\0';
        printf("Hello, %s!\n", name);
    }
    if (ferror(stdin)) {
        fprintf(stderr, "standard input cannot be read\n");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
