/* What an ordinary program expects of C's streams and of its end. tests/boot/test_programs.py knows
 * what it prints. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sum.h>

static void at_end(void) {
    printf("at the end"); /* and no line break */
}

static void read_words(void) {
    char word[16];
    int number;
    double value;
    FILE *file = fopen("/DATA/WORDS.TXT", "r");
    while (fscanf(file, "%15s", word) == 1) {
        printf("%s", word);
        if (fscanf(file, "%d %lf", &number, &value) == 2)
            printf(" %d %.2f", number, value);
        putchar('\n');
    }
    printf("%d %ld\n", feof(file) != 0, ftell(file));
    fclose(file);
}

static void write_and_read(void) {
    char line[32];
    FILE *file = fopen("/DATA/NEW.TXT", "w");
    for (int i = 0; i < 1000; i++)
        fprintf(file, "line %03d\n", i);
    fclose(file);
    file = fopen("/DATA/NEW.TXT", "r+");
    fseek(file, 9 * 500, SEEK_SET);
    fputs("LINE", file);
    fseek(file, 0, SEEK_SET);
    for (int i = 0; i <= 500; i++)
        fgets(line, sizeof line, file);
    printf("%s", line);
    ungetc('?', file);
    printf("%c%c\n", fgetc(file), fgetc(file));
    fclose(file);
    file = fopen("/DATA/NEW.TXT", "a");
    fprintf(file, "appended\n");
    fclose(file);
}

int main(int argc, char **argv) {
    char line[64];
    atexit(at_end);
    for (int i = 0; i < argc; i++)
        printf("[%s]", argv[i]);
    printf(" %d %s %d\n", ANSWER, GREETING, sum(3, 1, 2, 3));
    read_words();
    write_and_read();
    if (!fopen("/DATA/MISSING.TXT", "r"))
        fprintf(stderr, "there is no MISSING.TXT\n");
    while (fgets(line, sizeof line, stdin))
        printf("<%zu>", strlen(line));
    exit(37);
}
