/* A neural operator on a grid that lies in several parts, with the same bits however it is split.

       domain <insulated.safetensors>

   The heat equation of insulated.c, predicted on the whole grid by a plan, and by parts: one that has all blocks of points, three, and
   four whose blocks lie in turn. Each part sees its own points alone; the messages of all parts are added as integers, as an
   all-reduce between processes would, until nobody has anything left to say. Exits with 1 unless the bits of 1, 3 and 4 parts agree
   and the plan's are theirs but for rounding. */
#include <math.h>
#include <string.h>

#include "common.h"

enum { POINTS = 100, TIMES = 25, CELLS = POINTS * TIMES, BLOCK = 10 * TIMES, BLOCKS = CELLS / BLOCK, MOST_PARTS = 4 };

static const double pi = 3.14159265358979323846;
static double u0[CELLS], walls[2 * TIMES];

/* What one part holds: its blocks, and its points of the input and of the result, block after block. */
typedef struct {
  pcml_operator_part *operator_part;
  pcml_workspace *workspace;
  int64_t owned[BLOCKS], blocks;
  double before[CELLS], after[CELLS];
  int64_t *message, count;
} part;

static void own(part *p, const pcml_model *model, const pcml_options *options) {
  check(pcml_operator_part_create(model, PCML_DTYPE_F64, options, BLOCK, p->owned, p->blocks, &p->operator_part));
  check(pcml_operator_part_workspace(p->operator_part, &p->workspace));
  for (int64_t b = 0; b < p->blocks; b++)
    memcpy(p->before + b * BLOCK, u0 + p->owned[b] * BLOCK, BLOCK * sizeof(double));
}

/* Every part's next message. Returns its length, the same on all parts. */
static int64_t speak(part *parts, int count, int begin) {
  const pcml_const_array values[2] = {input(walls, TIMES), input(walls + TIMES, TIMES)};
  for (int k = 0; k < count; k++) {
    part *p = &parts[k];
    if (begin) {
      const pcml_const_array x = input(p->before, p->blocks * BLOCK);
      check(pcml_operator_part_begin(p->operator_part, p->workspace, &x, values, 2, PCML_DTYPE_F64, &p->message, &p->count));
    } else {
      check(pcml_operator_part_continue(p->operator_part, p->workspace, &p->message, &p->count));
    }
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
      sum += (uint64_t)parts[k].message[i];
    for (int k = 0; k < count; k++)
      parts[k].message[i] = (int64_t)sum;
  }
}

/* Predicts in `count` parts; `of_block` is whose block is which. */
static void predict(const pcml_model *model, const pcml_options *options, int count, const int *of_block, double *u) {
  static part parts[MOST_PARTS];
  memset(parts, 0, sizeof parts);
  for (int b = 0; b < BLOCKS; b++) {
    part *p = &parts[of_block[b]];
    p->owned[p->blocks++] = b;
  }
  for (int k = 0; k < count; k++)
    own(&parts[k], model, options);
  int messages = 0;
  long long integers = 0;
  for (int begin = 1; speak(parts, count, begin) != 0; begin = 0) {
    all_reduce(parts, count);
    messages++;
    integers += (long long)parts[0].count;
  }
  for (int k = 0; k < count; k++) {
    part *p = &parts[k];
    const pcml_array result = output(p->after, p->blocks * BLOCK);
    check(pcml_operator_part_finish(p->operator_part, p->workspace, &result));
    for (int64_t b = 0; b < p->blocks; b++)
      memcpy(u + p->owned[b] * BLOCK, p->after + b * BLOCK, BLOCK * sizeof(double));
    pcml_workspace_free(p->workspace);
    pcml_operator_part_free(p->operator_part);
  }
  printf("%d part%s %d messages, %lld integers\n", count, count == 1 ? ": " : "s:", messages, integers);
}

int main(int argc, char **argv) {
  static double whole[CELLS], alone[CELLS], thirds[CELLS], in_turn[CELLS];
  static const int one[BLOCKS] = {0}, three[BLOCKS] = {0, 0, 0, 0, 1, 1, 1, 2, 2, 2};
  static const int four[BLOCKS] = {0, 1, 2, 3, 0, 1, 2, 3, 3, 1};
  if (argc != 2) {
    fprintf(stderr, "usage: %s <insulated.safetensors>\n", argv[0]);
    return 2;
  }
  for (int i = 0; i < CELLS; i++)
    u0[i] = cos(3.1 * pi * (i / TIMES) / (POINTS - 1));
  for (int t = 0; t < TIMES; t++)
    walls[TIMES + t] = 5.0 * sin(pi * (t + 1) * 2.0 / TIMES);

  pcml_model *model;
  pcml_options *options;
  pcml_plan *plan;
  pcml_workspace *workspace;
  const int64_t shape[2] = {POINTS, TIMES};
  check(pcml_model_load(argv[1], &model));
  check(pcml_options_create(&options));
  check(pcml_options_set_shape(options, 2, shape));
  check(pcml_plan_create(model, PCML_DTYPE_F64, options, &plan));
  check(pcml_plan_workspace(plan, &workspace));
  const pcml_const_array in = {sizeof in, u0, PCML_DTYPE_F64, 2, {POINTS, TIMES}, {TIMES, 1}};
  const pcml_array out = {sizeof out, whole, PCML_DTYPE_F64, 2, {POINTS, TIMES}, {TIMES, 1}};
  const pcml_const_array values[2] = {input(walls, TIMES), input(walls + TIMES, TIMES)};
  check(pcml_plan_predict(plan, workspace, &in, values, 2, &out));

  predict(model, options, 1, one, alone);
  predict(model, options, 3, three, thirds);
  predict(model, options, 4, four, in_turn);
  const int same = memcmp(alone, thirds, sizeof alone) == 0 && memcmp(alone, in_turn, sizeof alone) == 0;
  claim(same, "results have the same bits in 1, 3 and 4 parts");
  printf("bits of 1, 3 and 4 parts: %s\n", same ? "the same" : "DIFFERENT");
  double apart = 0.0, size = 0.0;
  for (int i = 0; i < CELLS; i++) {
    apart = fmax(apart, fabs(alone[i] - whole[i]));
    size = fmax(size, fabs(whole[i]));
  }
  claim(apart <= 1e-12 * size, "the plan's result is theirs but for rounding");
  printf("apart from the plan's result: %.1e of values to %.1f\n", apart, size);

  pcml_workspace_free(workspace);
  pcml_plan_free(plan);
  pcml_options_free(options);
  pcml_model_free(model);
  return failures ? 1 : 0;
}
