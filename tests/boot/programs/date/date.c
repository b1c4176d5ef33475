/* Says what time it is, in two ways. */
#include <stdio.h>
#include <time.h>

int main(void) {
    char text[32];
    time_t now = time(NULL);
    strftime(text, sizeof text, "%F %T", localtime(&now));
    printf("date %lld\n%s\n", (long long)now, text);
}
