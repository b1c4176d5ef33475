/* Planets that attract each other, in small steps of time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BODIES 4
#define STEP 0.001 /* years */

/* Astronomical units, years, and the Sun's mass. */
struct body {
    const char *name;
    double mass;
    double place[3], speed[3];
};

static const double gravity = 4 * 3.14159265358979323846 * 3.14159265358979323846;

static struct body bodies[BODIES] = {
    {"Sun", 1, {0, 0, 0}, {0, 0, 0}},
    {"Earth", 3e-6, {1, 0, 0}, {0, 6.28, 0}},
    {"Jupiter", 9.5e-4, {0, 5.2, 0.1}, {-2.75, 0, 0}},
    {"Saturn", 2.9e-4, {-9.5, 0, -0.2}, {0, -2.04, 0.02}},
};

static double distance(const struct body *a, const struct body *b, double way[3]) {
    double sum = 0;
    for (int i = 0; i < 3; i++) {
        way[i] = b->place[i] - a->place[i];
        sum += way[i] * way[i];
    }
    return sqrt(sum);
}

static void attract(struct body *a, struct body *b, double time) {
    double way[3];
    double far = distance(a, b, way);
    double pull = gravity * time / (far * far * far);
    for (int i = 0; i < 3; i++) {
        a->speed[i] += pull * b->mass * way[i];
        b->speed[i] -= pull * a->mass * way[i];
    }
}

static void step(double time) {
    for (int a = 0; a < BODIES; a++)
        for (int b = a + 1; b < BODIES; b++)
            attract(&bodies[a], &bodies[b], time);
    for (int a = 0; a < BODIES; a++)
        for (int i = 0; i < 3; i++)
            bodies[a].place[i] += time * bodies[a].speed[i];
}

static double energy(void) {
    double sum = 0, way[3];
    for (int a = 0; a < BODIES; a++) {
        for (int i = 0; i < 3; i++)
            sum += bodies[a].mass * bodies[a].speed[i] * bodies[a].speed[i] / 2;
        for (int b = a + 1; b < BODIES; b++)
            sum -=
                gravity * bodies[a].mass * bodies[b].mass / distance(&bodies[a], &bodies[b], way);
    }
    return sum;
}

int main(int argc, char **argv) {
    int years = argc > 1 ? atoi(argv[1]) : 10;
    printf("energy %.12f\n", energy());
    for (int i = 0; i < (int)(years / STEP); i++)
        step(STEP);
    for (int i = 0; i < BODIES; i++)
        printf("%-8s %15.9f %15.9f %15.9f\n", bodies[i].name, bodies[i].place[0],
               bodies[i].place[1], bodies[i].place[2]);
    printf("energy %.12f after %d years\n", energy(), years);
}
