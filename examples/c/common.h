/* What the examples share: errors that end the program, plain arrays, claims, random numbers, bits of results. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcml.h>

static inline void check(int32_t status) {
  if (status != PCML_STATUS_OK) {
    char text[512];
    pcml_error_message(text, sizeof text, NULL);
    fprintf(stderr, "%s: %s\n", pcml_status_name(status), text);
    exit(1);
  }
}

static inline pcml_const_array input(const double *data, int64_t count) {
  pcml_const_array a = {sizeof a, data, PCML_DTYPE_F64, 1, {count}, {1}};
  return a;
}

static inline pcml_array output(double *data, int64_t count) {
  pcml_array a = {sizeof a, data, PCML_DTYPE_F64, 1, {count}, {1}};
  return a;
}

static int failures;

static inline int claim(int holds, const char *what) {
  if (!holds) {
    fprintf(stderr, "does not hold: %s\n", what);
    failures++;
  }
  return holds;
}

static inline double larger(double a, double b) { return a > b ? a : b; }

/* Adds a field to the bits by which programs in several languages are compared: for each value rotate left by one, then exclusive or. */
static inline void mix(uint64_t *bits, const double *u, int count) {
  for (int i = 0; i < count; i++) {
    uint64_t value;
    memcpy(&value, u + i, sizeof value);
    *bits = (*bits << 1 | *bits >> 63) ^ value;
  }
}

/* splitmix64: an integer of 53 bits, from 0 to 9007199254740991. */
static inline double random_integer(uint64_t *state) {
  uint64_t z = (*state += 0x9E3779B97F4A7C15u);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  z ^= z >> 31;
  return (double)(z >> 11);
}

#endif
