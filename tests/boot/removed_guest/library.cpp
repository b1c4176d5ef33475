#include "tests/boot/removed_guest/library.h"

/* As inline functions are. Callers know nothing of what they do. */
#define REMOVABLE __attribute__((weak, noinline))

REMOVABLE int kept_too(int x) {
    return x + 1;
}

REMOVABLE int half(int x) {
    return x / 2;
}

struct Animal {
    virtual int wings() const;
};

struct Bird : Animal {
    int wings() const override;
};

REMOVABLE int Animal::wings() const {
    return 0;
}

REMOVABLE int Bird::wings() const {
    return 2;
}

REMOVABLE int kept(int x) {
    return 2 * kept_too(x);
}

REMOVABLE int direct(int x) {
    return x * x;
}

REMOVABLE int missed(int x) {
    return x + 100;
}

int wings_of_a_bird() {
    Bird bird;
    Animal *volatile animal = &bird; /* the compiler must not know which */
    return animal->wings();
}

extern const int weights[] = {0, 10, 20}, heights[] = {0, 20, 40};

int weight(int x) {
    return weights[x];
}

int height(int x) {
    return heights[x];
}

int by_pointer(int x) {
    int (*volatile pointer)(int) = half;
    return pointer(x) + 1; /* no jump: the caller is to be named */
}
