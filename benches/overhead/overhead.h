/* The cases that every language times: sizes, rounds, and the median. C and C++ share this file; others repeat the numbers. */
#ifndef OVERHEAD_H
#define OVERHEAD_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS = 21, CALLS = 100000, CELLS = 8 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Prints the median of the rounds, in nanoseconds a call. */
static void tell(const char *name, double *rounds) {
  qsort(rounds, ROUNDS, sizeof *rounds, by_value);
  printf("%s %.1f\n", name, rounds[ROUNDS / 2]);
}

#endif
