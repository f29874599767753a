/* One field in several parts, lawful together, with the same bits however it is split.

       parts

   A field of 1000 cells lies in one part, in 4 and in 7. Each part has a projector of its own with its cells' weights; the messages
   of all parts are added as integers, as an all-reduce between processes would, until nobody has anything left to say. Two rows:
   the mass of the whole, and one over cells that only some parts have; then the mass within bounds. Last, exact sums of the parts.
   Exits with 1 unless all bits agree. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pcml.h>

#include "common.h"

enum { CELLS = 1000, MOST_PARTS = 7, ROWS = 2, FIRST = 600, LAST = 640 };

/* Uniform in (0, 1). */
static double uniform(void) {
  static uint64_t state = 4;
  return (random_integer(&state) + 0.5) / 9007199254740992.0;
}

static double volume[CELLS], window[CELLS], predicted[CELLS], variance[CELLS], lower[CELLS], upper[CELLS];

/* What one part holds; its arrays are its own cells of the whole. */
typedef struct {
  pcml_projector *projector;
  pcml_workspace *workspace;
  pcml_report *report;
  pcml_const_array mean, variance, lower, upper;
  pcml_array posterior_mean, posterior_variance;
  int64_t *values, count;
} part;

typedef struct {
  double mean[CELLS], variance[CELLS];
  double residual[ROWS], tolerance[ROWS];
  int messages;
} outcome;

static void create(part *p, int64_t from, int64_t count, int rows, outcome *whole) {
  pcml_constraints *laws;
  pcml_const_array weights = input(volume + from, count), some = input(window + from, count);
  check(pcml_constraints_create(count, &laws));
  check(pcml_constraints_add_row(laws, &weights, 0.0));
  if (rows == 2) {
    int here = from < LAST && from + count > FIRST;
    check(here ? pcml_constraints_add_row(laws, &some, 0.0) : pcml_constraints_add_absent_row(laws, 0.0));
  }
  check(pcml_projector_create(laws, PCML_PRIOR_DIAGONAL, NULL, &p->projector));
  pcml_constraints_free(laws);
  check(pcml_part_workspace(p->projector, &p->workspace));
  check(pcml_projector_report(p->projector, 1, &p->report));
  p->mean = input(predicted + from, count);
  p->variance = input(variance + from, count);
  p->lower = input(lower + from, count);
  p->upper = input(upper + from, count);
  p->posterior_mean = output(whole->mean + from, count);
  p->posterior_variance = output(whole->variance + from, count);
}

/* Every part's next message. Returns its length, the same on all parts. */
static int64_t speak(part *parts, int count, const pcml_const_array *b, int bounded, int begin) {
  for (int k = 0; k < count; k++) {
    part *p = &parts[k];
    const pcml_const_array *low = bounded ? &p->lower : NULL, *high = bounded ? &p->upper : NULL;
    const pcml_array *spread = bounded ? NULL : &p->posterior_variance;
    check((begin ? pcml_part_begin : pcml_part_continue)(p->projector, p->workspace, &p->mean, &p->variance, b, low, high,
                                                        &p->posterior_mean, spread, p->report, &p->values, &p->count));
    if (p->count != parts[0].count) {
      fprintf(stderr, "parts differ in what they have to say\n");
      exit(1);
    }
  }
  return parts[0].count;
}

/* The host's all-reduce: sums of integers, in place, the same for all. */
static void all_reduce(part *parts, int count) {
  for (int64_t i = 0; i < parts[0].count; i++) {
    uint64_t sum = 0;
    for (int k = 0; k < count; k++)
      sum += (uint64_t)parts[k].values[i];
    for (int k = 0; k < count; k++)
      parts[k].values[i] = (int64_t)sum;
  }
}

/* The field split at `starts`, made lawful. */
static void project(const int64_t *starts, int count, const double *levels, int rows, int bounded, outcome *whole) {
  part parts[MOST_PARTS];
  pcml_const_array b = input(levels, rows);
  memset(whole, 0, sizeof *whole);
  for (int k = 0; k < count; k++)
    create(&parts[k], starts[k], starts[k + 1] - starts[k], rows, whole);
  for (int begin = 1; speak(parts, count, &b, bounded, begin) != 0; begin = 0) {
    all_reduce(parts, count);
    whole->messages++;
  }
  for (int row = 0; row < rows; row++) {
    check(pcml_report_value(parts[0].report, PCML_REPORT_ITEM_RESIDUAL_AFTER, 0, row, &whole->residual[row]));
    check(pcml_report_value(parts[0].report, PCML_REPORT_ITEM_TOLERANCE, 0, row, &whole->tolerance[row]));
  }
  for (int k = 0; k < count; k++) {
    pcml_report_free(parts[k].report);
    pcml_workspace_free(parts[k].workspace);
    pcml_projector_free(parts[k].projector);
  }
}

/* The sum of the products over parts: bins of each, added as integers, rounded once. */
static double sum_of_parts(const int64_t *starts, int count, const double *x, const double *y) {
  int64_t total[PCML_SUM_BINS] = {0}, bins[PCML_SUM_BINS];
  for (int k = 0; k < count; k++) {
    pcml_const_array first = input(x + starts[k], starts[k + 1] - starts[k]);
    pcml_const_array second = input(y + starts[k], starts[k + 1] - starts[k]);
    check(pcml_sum_bins(&first, &second, bins));
    for (int i = 0; i < PCML_SUM_BINS; i++)
      total[i] += bins[i];
  }
  double sum;
  check(pcml_sum_round(total, &sum));
  return sum;
}

static const int64_t one[] = {0, CELLS};
static const int64_t four[] = {0, 100, 350, 620, CELLS};
static const int64_t seven[] = {0, 1, 2, 333, 600, 601, 999, CELLS};

static void compare(const char *name, const double *levels, int rows, int bounded) {
  static outcome whole, quarters, sevenths;
  project(one, 1, levels, rows, bounded, &whole);
  project(four, 4, levels, rows, bounded, &quarters);
  project(seven, 7, levels, rows, bounded, &sevenths);
  int same = memcmp(&whole, &quarters, sizeof whole) == 0 && memcmp(&whole, &sevenths, sizeof whole) == 0;
  claim(same, "mean, variance and residuals have the same bits in 1, 4 and 7 parts");
  printf("%-14s %d messages, bits of 1, 4 and 7 parts: %s\n", name, whole.messages, same ? "the same" : "DIFFERENT");
  for (int row = 0; row < rows; row++) {
    claim(fabs(whole.residual[row]) <= whole.tolerance[row], "the rows hold");
    printf("  row %d: residual %9.2e of at most %.2e\n", row, whole.residual[row], whole.tolerance[row]);
  }
  double total;
  pcml_const_array weights = input(volume, CELLS), mean = input(whole.mean, CELLS);
  check(pcml_sum(&weights, &mean, NULL, &total));
  claim(fabs(total - levels[0]) <= whole.tolerance[0], "the exact sum of the whole is the mass");
  double least = INFINITY, most = -INFINITY;
  for (int i = 0; i < CELLS; i++) {
    least = fmin(least, whole.mean[i]);
    most = fmax(most, whole.mean[i]);
  }
  if (bounded)
    claim(least >= 0.0 && most <= 1.0, "the field is within its bounds");
  printf("  from %.3f to %.3f\n", least, most);
}

int main(void) {
  for (int i = 0; i < CELLS; i++) {
    volume[i] = (0.5 + uniform()) / CELLS;
    window[i] = i >= FIRST && i < LAST ? volume[i] : 0.0;
    predicted[i] = 0.5 + 0.5 * sin(0.02 * i) + 0.2 * (uniform() - 0.5);
    variance[i] = 0.001 + 0.02 * uniform();
    upper[i] = 1.0;
  }
  double mass = sum_of_parts(one, 1, volume, predicted);
  double levels[ROWS] = {1.05 * mass, 0.9 * sum_of_parts(one, 1, window, predicted)};
  compare("mass, window", levels, 2, 0);
  compare("within bounds", levels, 1, 1);

  double whole;
  pcml_const_array x = input(volume, CELLS), y = input(predicted, CELLS);
  check(pcml_sum(&x, &y, NULL, &whole));
  double sums[] = {mass, sum_of_parts(four, 4, volume, predicted), sum_of_parts(seven, 7, volume, predicted)};
  int same = 1;
  for (int k = 0; k < 3; k++)
    same = claim(memcmp(&sums[k], &whole, sizeof whole) == 0, "sums of parts are the sum of the whole") && same;
  printf("exact sum      %.17g, bits of 1, 4 and 7 parts: %s\n", whole, same ? "the same" : "DIFFERENT");
  return failures ? 1 : 0;
}
