/* Every call that sums over ranks, for every split of its cells: one line of bits each, which depend neither on the split nor on the
   number of ranks. In f64, and with the first split in f32, where calls in steps are made too and must give the same.

       partition <insulated.safetensors> */
#include "ranks.h"

enum { ROWS = 2, ITEMS = 5, POINTS = 100, TIMES = 25, BLOCK = 4 * TIMES, BLOCKS = POINTS * TIMES / BLOCK };

static pcml_reduction *reduction;

static uint64_t folded(uint64_t hash, const void *data, size_t size) {
  const unsigned char *bytes = (const unsigned char *)data;
  for (size_t i = 0; i < size; i++)
    hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

/* Bits of one or two whole fields, on all ranks: each cell is one rank's, all others add 0. */
static uint64_t whole(const int *cells, int count, const void *one, const void *other, int32_t dtype, int of) {
  const size_t size = dtype == PCML_DTYPE_F32 ? sizeof(float) : sizeof(double);
  uint64_t *words = (uint64_t *)calloc(2 * (size_t)of, sizeof *words);
  for (int i = 0; i < count; i++) {
    memcpy(&words[cells[i]], (const char *)one + i * size, size);
    if (other != NULL)
      memcpy(&words[of + cells[i]], (const char *)other + i * size, size);
  }
  MPI_Allreduce(MPI_IN_PLACE, words, 2 * of, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD);
  const uint64_t hash = folded(0, words, 2 * (size_t)of * sizeof *words);
  free(words);
  return hash;
}

static void tell(const char *name, int split, uint64_t bits) {
  if (rank == 0)
    printf("%s split %d %016" PRIx64 "\n", name, split, bits);
}

static void same(const char *name, int in_steps) {
  if (!in_steps) {
    fprintf(stderr, "rank %d: %s: in steps not the same\n", rank, name);
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
}

/* This rank's cells and their values, in either storage type. */
typedef struct {
  int cells[CELLS], count;
  double weight[CELLS], window[CELLS];
  union {
    double f64[CELLS];
    float f32[CELLS];
  } mean, variance, lower, upper, posterior, spread;
} field;

#define SET(array, i, value)                       \
  do {                                             \
    if (dtype == PCML_DTYPE_F32)                   \
      (array).f32[i] = (float)(value);             \
    else                                           \
      (array).f64[i] = (value);                    \
  } while (0)

static void fill(field *f, int split, int32_t dtype) {
  memset(f, 0, sizeof *f);
  for (int cell = 0; cell < CELLS; cell++) {
    if (owner(split, cell) != rank)
      continue;
    const int i = f->count++;
    f->cells[i] = cell;
    f->weight[i] = 0.5 + number(cell, 0);
    f->window[i] = cell >= 100 && cell < 140 ? f->weight[i] / 3.0 : 0.0;
    SET(f->mean, i, 1.2 * number(cell, 1) - 0.1);
    SET(f->variance, i, number(cell, 2));
    SET(f->upper, i, 1.0);
  }
}

static void project(int32_t prior, int32_t dtype, double noise, int bounded, int split) {
  static field f;
  const int rows = bounded ? 1 : ROWS;
  const double levels[ROWS] = {150.0, 3.5};
  const double one = 0.25;
  const float single = 0.25f;
  int windowed = 0;
  pcml_constraints *laws;
  pcml_projector *projector;
  pcml_workspace *workspace;
  pcml_report *report;
  fill(&f, split, dtype);
  const pcml_const_array weight = input(f.weight, PCML_DTYPE_F64, f.count), window = input(f.window, PCML_DTYPE_F64, f.count);
  for (int i = 0; i < f.count; i++)
    windowed += f.window[i] != 0.0;
  must(pcml_constraints_create(f.count, &laws));
  must(pcml_constraints_add_row(laws, &weight, noise));
  if (!bounded)
    must(windowed ? pcml_constraints_add_row(laws, &window, noise) : pcml_constraints_add_absent_row(laws, noise));
  must(pcml_projector_create(laws, prior, NULL, &projector));
  must(pcml_part_workspace(projector, &workspace));
  must(pcml_projector_report(projector, 1, &report));

  const pcml_const_array mean = input(&f.mean, dtype, f.count), b = input(levels, PCML_DTYPE_F64, rows);
  const pcml_const_array lower = input(&f.lower, dtype, f.count), upper = input(&f.upper, dtype, f.count);
  const pcml_const_array diagonal = input(&f.variance, dtype, f.count);
  const pcml_const_array scalar = input(dtype == PCML_DTYPE_F32 ? (const void *)&single : &one, dtype, 1);
  const pcml_const_array *variance = prior == PCML_PRIOR_DIAGONAL ? &diagonal : prior == PCML_PRIOR_SCALAR ? &scalar : NULL;
  const pcml_const_array *low = bounded ? &lower : NULL, *high = bounded ? &upper : NULL;
  const pcml_array posterior = output(&f.posterior, dtype, f.count), marginal = output(&f.spread, dtype, f.count);
  const pcml_array *spread = bounded ? NULL : &marginal;

  uint64_t bits[2];
  for (int in_steps = 0; in_steps < (split == 0 ? 2 : 1); in_steps++) {
    memset(&f.posterior, 0, sizeof f.posterior);
    memset(&f.spread, 0, sizeof f.spread);
    if (in_steps) {
      int64_t *values, count;
      must(pcml_part_begin(projector, workspace, &mean, variance, &b, low, high, &posterior, spread, report, &values, &count));
      while (count > 0) {
        must(pcml_mpi_sum(MPI_COMM_WORLD, values, count) == 0 ? PCML_STATUS_OK : PCML_STATUS_REDUCTION);
        must(pcml_part_continue(projector, workspace, &mean, variance, &b, low, high, &posterior, spread, report, &values, &count));
      }
    } else {
      must(pcml_part_project(projector, workspace, reduction, &mean, variance, &b, low, high, &posterior, spread, report));
    }
    uint64_t hash = whole(f.cells, f.count, &f.posterior, &f.spread, dtype, CELLS);
    for (int row = 0; row < rows; row++) {
      for (int item = PCML_REPORT_ITEM_RESIDUAL_BEFORE; item <= PCML_REPORT_ITEM_CORRECTION_NORM; item++) {
        double value;
        must(pcml_report_value(report, item, 0, row, &value));
        hash = folded(hash, &value, sizeof value);
      }
    }
    bits[in_steps] = hash;
  }
  char name[96];
  snprintf(name, sizeof name, "project prior %d dtype %d noise %g bounded %d", prior, dtype, noise, bounded);
  same(name, split != 0 || bits[0] == bits[1]);
  tell(name, split, bits[0]);
  pcml_report_free(report);
  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  pcml_constraints_free(laws);
}

static void sum(int32_t dtype, int split) {
  static field f;
  int64_t bins[PCML_SUM_BINS];
  double values[3];
  fill(&f, split, dtype);
  const pcml_const_array mean = input(&f.mean, dtype, f.count), weight = input(f.weight, PCML_DTYPE_F64, f.count);
  must(pcml_sum(&mean, NULL, reduction, &values[0]));
  must(pcml_sum(&mean, &weight, reduction, &values[1]));
  must(pcml_sum_bins(&mean, &weight, bins));
  must(pcml_mpi_sum(MPI_COMM_WORLD, bins, PCML_SUM_BINS) == 0 ? PCML_STATUS_OK : PCML_STATUS_REDUCTION);
  must(pcml_sum_round(bins, &values[2]));
  same("sum", values[1] == values[2]);
  tell(dtype == PCML_DTYPE_F32 ? "sum dtype 1" : "sum dtype 2", split, folded(0, values, sizeof values));
}

static int block_owner(int split, int block) {
  return split == 0 ? block % ranks : split == 1 ? block * ranks / BLOCKS : block < ranks - 1 ? block : ranks - 1;
}

static void predict(const pcml_model *model, const pcml_options *options, int32_t dtype, int split) {
  static double before[POINTS * TIMES], after[POINTS * TIMES], walls[2][TIMES];
  static int cells[POINTS * TIMES];
  int64_t owned[BLOCKS], blocks = 0;
  int count = 0;
  pcml_operator_part *part;
  pcml_workspace *workspace;
  for (int b = 0; b < BLOCKS; b++) {
    if (block_owner(split, b) != rank)
      continue;
    owned[blocks++] = b;
    for (int i = b * BLOCK; i < (b + 1) * BLOCK; i++) {
      cells[count] = i;
      before[count++] = number(i / TIMES, 3) - 0.5;
    }
  }
  for (int t = 0; t < TIMES; t++)
    walls[1][t] = 4.0 * number(t, 4);
  must(pcml_operator_part_create(model, dtype, options, BLOCK, owned, blocks, &part));
  must(pcml_operator_part_workspace(part, &workspace));
  const pcml_const_array in = input(before, PCML_DTYPE_F64, count);
  const pcml_const_array conditions[2] = {input(walls[0], PCML_DTYPE_F64, TIMES), input(walls[1], PCML_DTYPE_F64, TIMES)};
  const pcml_array out = output(after, PCML_DTYPE_F64, count);
  must(pcml_operator_part_predict(part, workspace, reduction, &in, conditions, 2, &out));
  const uint64_t bits = whole(cells, count, after, NULL, PCML_DTYPE_F64, POINTS * TIMES);

  char name[32];
  snprintf(name, sizeof name, "operator dtype %d", dtype);
  tell(name, split, bits);
  if (split == 0) {
    int64_t *message, length;
    memset(after, 0, sizeof after);
    must(pcml_operator_part_begin(part, workspace, &in, conditions, 2, PCML_DTYPE_F64, &message, &length));
    while (length > 0) {
      must(pcml_mpi_sum(MPI_COMM_WORLD, message, length) == 0 ? PCML_STATUS_OK : PCML_STATUS_REDUCTION);
      must(pcml_operator_part_continue(part, workspace, &message, &length));
    }
    must(pcml_operator_part_finish(part, workspace, &out));
    same(name, whole(cells, count, after, NULL, PCML_DTYPE_F64, POINTS * TIMES) == bits);
  }
  pcml_workspace_free(workspace);
  pcml_operator_part_free(part);
}

int main(int argc, char **argv) {
  static const int32_t priors[] = {PCML_PRIOR_IDENTITY, PCML_PRIOR_DIAGONAL, PCML_PRIOR_SCALAR};
  static const int32_t dtypes[] = {PCML_DTYPE_F64, PCML_DTYPE_F32};
  const int64_t shape[2] = {POINTS, TIMES};
  pcml_model *model;
  pcml_options *options;
  start(&argc, &argv);
  must(argc == 2 ? PCML_STATUS_OK : PCML_STATUS_INVALID_ARGUMENT);
  must(pcml_mpi_agree(MPI_COMM_WORLD, pcml_mpi_reduction_create(MPI_COMM_WORLD, &reduction)));
  must(pcml_model_load(argv[1], &model));
  must(pcml_options_create(&options));
  must(pcml_options_set_shape(options, 2, shape));
  for (int split = 0; split < 3; split++) {
    for (int d = 0; d < (split == 0 ? 2 : 1); d++) {
      for (int p = 0; p < 3; p++) {
        project(priors[p], dtypes[d], 0.0, 0, split);
        project(priors[p], dtypes[d], 0.01, 0, split);
        project(priors[p], dtypes[d], 0.0, 1, split);
      }
      sum(dtypes[d], split);
      predict(model, options, dtypes[d], split);
    }
  }
  pcml_options_free(options);
  pcml_model_free(model);
  pcml_reduction_free(reduction);
  MPI_Finalize();
  return 0;
}
