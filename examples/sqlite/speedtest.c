/* SQLite's speed test, from the source package. The program's main calls its main. */
#define main speedtest_main
#include "test/speedtest1.c"
