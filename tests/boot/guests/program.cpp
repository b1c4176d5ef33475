/*
 * What C and C++ programs expect of their surroundings: constructors by priority, static objects,
 * thread-local variables, memory by `new`, functions that the compiler calls by itself. The test
 * expects the lines in order, and exit code 0. Also built as a Linux program.
 */
extern "C" {
#include "kernel_lib/runtime.h"
int atexit(void (*function)(void));
}

/* ---- Thread-local variables ---- */

namespace {

volatile int seven = 7;
thread_local int initialised = 41;
thread_local long zeroed[3];
alignas(256) thread_local char aligned[4] = "abc";
alignas(512) thread_local char aligned_zeros[3];

__attribute__((noinline)) int *address_of_initialised() {
    return &initialised;
}

bool thread_locals_work() {
    *address_of_initialised() += 1;
    zeroed[1] += 7;
    return initialised == 42 && zeroed[0] == 0 && zeroed[1] == 7 && zeroed[2] == 0 &&
           reinterpret_cast<uintptr_t>(aligned) % 256 == 0 && memcmp(aligned, "abc", 4) == 0 &&
           reinterpret_cast<uintptr_t>(aligned_zeros) % 512 == 0 && aligned_zeros[seven % 3] == 0;
}

/* ---- Objects ---- */

struct Shape {
    virtual int area() const = 0;
    virtual ~Shape() { console_puts("a shape goes\n"); }
};
struct Square : Shape {
    explicit Square(int side) : side(side) {}
    int area() const override { return side * side; }
    int side;
};
struct Box : Shape {
    Box(int a, int b) : a(a), b(b) {}
    int area() const override { return a * b; }
    int a, b;
};
struct alignas(128) Wide {
    char bytes[128];
};

struct Constructed {
    Constructed() : value(seven) { console_puts("a static object comes\n"); }
    ~Constructed() { console_puts("a static object goes\n"); }
    int value;
} constructed;

int area_of_two() {
    Shape *shapes[] = {new Square(3), new Box(2, 5)};
    int sum = 0;
    for (Shape *shape : shapes) {
        sum += shape->area();
        delete shape;
    }
    Wide *wide = new Wide[2];
    bool good = reinterpret_cast<uintptr_t>(wide) % 128 == 0;
    delete[] wide;
    return good ? sum : -1;
}

/* ---- Functions of the compiler's runtime library ---- */

/* 128 bits where the processor has 64, and 64 where it has 32. */
#ifdef __SIZEOF_INT128__
using Widest = unsigned __int128;
#else
using Widest = unsigned long long;
#endif
constexpr int SHIFT = sizeof(Widest) * 6;

__attribute__((noinline)) Widest divide(Widest a, Widest b) {
    return a / b;
}
__attribute__((noinline)) _Complex double multiply(_Complex double a, _Complex double b) {
    return a * b;
}
__attribute__((noinline)) Widest to_integer(float x) {
    return static_cast<Widest>(x);
}

bool runtime_library_works() {
    volatile unsigned long long x = 7;
    volatile float large = __builtin_ldexpf(1, SHIFT);
    _Complex double product = multiply(__builtin_complex(1.0, 2.0), __builtin_complex(3.0, 4.0));
    volatile int exponent = 3;
    constexpr Widest shifted = static_cast<Widest>(1) << SHIFT;
    return divide(static_cast<Widest>(x) << SHIFT, x) == shifted && __real__ product == -5 &&
           __imag__ product == 10 && to_integer(large) == shifted &&
           __builtin_powif(large, exponent) == __builtin_inff() &&
           __builtin_powi(2.0, exponent) == 8;
}

/* ---- Before and after ---- */

__attribute__((constructor(200))) void second() {
    console_puts("second\n");
}
__attribute__((constructor(101))) void first() {
    console_puts("first\n");
}
__attribute__((destructor)) void last() {
    console_puts("the end\n");
}

} // namespace

extern "C" int app_main() {
    atexit([] { console_puts("at exit\n"); });
    console_printf("thread-local variables: %d\n", thread_locals_work());
    console_printf("static object: %d\n", constructed.value);
    console_printf("area: %d\n", area_of_two());
    console_printf("runtime library: %d\n", runtime_library_works());
    return 0;
}
