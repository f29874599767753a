/* What one rank does wrong, and what all ranks get. Each case prints, rank by rank, the status and whether outputs are as before; after
   each a good call succeeds, so that no rank has fallen out of step.

       failure <insulated.safetensors> */
#include <math.h>

#include "ranks.h"

enum { POINTS = 100, TIMES = 25, BLOCK = 10 * TIMES, SENTINEL = -7 };

/* The rank that does wrong. */
static int bad;

static pcml_reduction *reduction;
static const pcml_model *model;
static const pcml_options *options;

static void tell(const char *name, int32_t status, const double *outputs, int count) {
  int untouched = 1;
  for (int i = 0; i < count; i++)
    untouched = untouched && outputs[i] == SENTINEL;
  int32_t mine[2] = {status, untouched}, all[2 * 16];
  MPI_Gather(mine, 2, MPI_INT32_T, all, 2, MPI_INT32_T, 0, MPI_COMM_WORLD);
  if (rank == 0) {
    printf("%s:", name);
    for (int k = 0; k < ranks; k++)
      printf(" %s%s", pcml_status_name(all[2 * k]), all[2 * k + 1] ? "" : " WRITTEN");
    printf("\n");
  }
}

/* A projection that is good but for what a case spoils. */
typedef struct {
  double weight[CELLS], mean[CELLS], variance[CELLS], lower[CELLS], upper[CELLS], b[1], posterior[CELLS];
  int64_t count;
  int32_t prior, struct_size;
  double noise;
  int bounded, no_mean, no_workspace;
} projection;

static void good(projection *p) {
  memset(p, 0, sizeof *p);
  p->prior = PCML_PRIOR_DIAGONAL;
  p->count = CELLS;
  p->b[0] = 100.0;
  for (int i = 0; i < CELLS; i++) {
    p->weight[i] = 1.0;
    p->mean[i] = number(i, rank);
    p->variance[i] = number(i, 9);
    p->upper[i] = 1.0;
    p->posterior[i] = SENTINEL;
  }
}

static int32_t project(projection *p, int in_steps) {
  pcml_constraints *laws;
  pcml_projector *projector;
  pcml_workspace *workspace;
  const pcml_const_array weight = input(p->weight, PCML_DTYPE_F64, CELLS);
  must(pcml_constraints_create(CELLS, &laws));
  must(pcml_constraints_add_row(laws, &weight, p->noise));
  must(pcml_projector_create(laws, p->prior, NULL, &projector));
  must(pcml_part_workspace(projector, &workspace));
  pcml_constraints_free(laws);
  pcml_const_array mean = input(p->mean, PCML_DTYPE_F64, p->count);
  mean.struct_size += p->struct_size;
  const pcml_const_array variance = input(p->variance, PCML_DTYPE_F64, CELLS), b = input(p->b, PCML_DTYPE_F64, 1);
  const pcml_const_array lower = input(p->lower, PCML_DTYPE_F64, CELLS), upper = input(p->upper, PCML_DTYPE_F64, CELLS);
  const pcml_const_array *from = p->no_mean ? NULL : &mean, *spread = p->prior == PCML_PRIOR_DIAGONAL ? &variance : NULL;
  const pcml_const_array *low = p->bounded ? &lower : NULL, *high = p->bounded ? &upper : NULL;
  const pcml_array posterior = output(p->posterior, PCML_DTYPE_F64, CELLS);
  pcml_workspace *own = p->no_workspace ? NULL : workspace;
  int32_t status;
  if (in_steps) {
    int64_t *values, count;
    status = pcml_part_begin(projector, own, from, spread, &b, low, high, &posterior, NULL, NULL, &values, &count);
    status = pcml_mpi_agree(MPI_COMM_WORLD, status);
    while (status == PCML_STATUS_OK && count > 0) {
      must(pcml_mpi_sum(MPI_COMM_WORLD, values, count) == 0 ? PCML_STATUS_OK : PCML_STATUS_REDUCTION);
      status = pcml_part_continue(projector, own, from, spread, &b, low, high, &posterior, NULL, NULL, &values, &count);
    }
  } else {
    status = pcml_part_project(projector, own, reduction, from, spread, &b, low, high, &posterior, NULL, NULL);
  }
  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  return status;
}

/* An operator's part of blocks in runs, likewise. */
typedef struct {
  double before[POINTS * TIMES], walls[2][TIMES], after[POINTS * TIMES];
  int64_t blocks, count;
  int no_part;
} prediction;

static void good_prediction(prediction *p) {
  memset(p, 0, sizeof *p);
  p->blocks = 10 * (rank + 1) / ranks - 10 * rank / ranks;
  p->count = p->blocks * BLOCK;
  for (int i = 0; i < POINTS * TIMES; i++) {
    p->before[i] = number(i, rank);
    p->after[i] = SENTINEL;
  }
}

static int32_t predict(prediction *p) {
  int64_t owned[10];
  pcml_operator_part *part;
  pcml_workspace *workspace;
  for (int b = 0; b < p->blocks; b++)
    owned[b] = 10 * rank / ranks + b;
  must(pcml_operator_part_create(model, PCML_DTYPE_F64, options, BLOCK, owned, p->blocks, &part));
  must(pcml_operator_part_workspace(part, &workspace));
  const pcml_const_array in = input(p->before, PCML_DTYPE_F64, p->count);
  const pcml_const_array conditions[2] = {input(p->walls[0], PCML_DTYPE_F64, TIMES), input(p->walls[1], PCML_DTYPE_F64, TIMES)};
  const pcml_array out = output(p->after, PCML_DTYPE_F64, p->count);
  const int32_t status = pcml_operator_part_predict(p->no_part ? NULL : part, workspace, reduction, &in, conditions, 2, &out);
  pcml_workspace_free(workspace);
  pcml_operator_part_free(part);
  return status;
}

/* Spoils one thing on the rank that does wrong, in one call and in steps. */
#define PROJECT(name, spoil)                               \
  for (int in_steps = 0; in_steps < 2; in_steps++) {       \
    projection p;                                          \
    good(&p);                                              \
    if (rank == bad)                                       \
      spoil;                                               \
    const int32_t status = project(&p, in_steps);          \
    tell(in_steps ? name " in steps" : name, status, p.posterior, CELLS); \
    good(&p);                                              \
    must(project(&p, 0));                                  \
  }

#define PREDICT(name, spoil)                               \
  do {                                                     \
    prediction p;                                          \
    good_prediction(&p);                                   \
    if (rank == bad)                                       \
      spoil;                                               \
    const int32_t status = predict(&p);                    \
    tell(name, status, p.after, POINTS * TIMES);           \
    good_prediction(&p);                                   \
    must(predict(&p));                                     \
  } while (0)

static void sums(void) {
  double values[2] = {1.0, 2.0}, found = SENTINEL;
  const pcml_const_array x = input(values, PCML_DTYPE_F64, 2), y = input(values, PCML_DTYPE_F64, rank == bad ? 1 : 2);
  const int32_t status = pcml_sum(&x, &y, reduction, &found);
  tell("sum", status, &found, 1);
  tell("sum, one second array", pcml_sum(&x, rank == bad ? NULL : &x, reduction, &found), &found, 1);
  tell("sum, no place", pcml_sum(&x, NULL, reduction, rank == bad ? NULL : &found), &found, 1);
}

static void setting_up(void) {
  pcml_constraints *laws;
  const double one = 1.0;
  const pcml_const_array weight = input(&one, PCML_DTYPE_F64, 1);
  must(pcml_constraints_create(1, &laws));
  int32_t status = pcml_constraints_add_row(laws, &weight, rank == bad ? -1.0 : 0.0);
  tell("noise, agreed", pcml_mpi_agree(MPI_COMM_WORLD, status), NULL, 0);
  pcml_constraints_free(laws);

  pcml_reduction *another = NULL;
  status = pcml_mpi_agree(MPI_COMM_WORLD, pcml_mpi_reduction_create(MPI_COMM_WORLD, rank == bad ? NULL : &another));
  tell("no reduction, agreed", status, NULL, 0);
  pcml_reduction_free(another);
  status = pcml_mpi_reduction_create(rank == bad ? MPI_COMM_NULL : MPI_COMM_WORLD, &another);
  tell("no communicator, agreed", pcml_mpi_agree(MPI_COMM_WORLD, status), NULL, 0);
  pcml_reduction_free(another);
  /* Of several the least. */
  status = rank == bad ? PCML_STATUS_WEIGHTS : rank == 0 ? PCML_STATUS_IO : PCML_STATUS_OK;
  tell("two of them, agreed", pcml_mpi_agree(MPI_COMM_WORLD, status), NULL, 0);
  tell("nothing, agreed", pcml_mpi_agree(MPI_COMM_WORLD, PCML_STATUS_OK), NULL, 0);
}

int main(int argc, char **argv) {
  const int64_t shape[2] = {POINTS, TIMES};
  pcml_model *of_heat;
  pcml_options *of_bar;
  start(&argc, &argv);
  must(argc == 2 && ranks <= 10 ? PCML_STATUS_OK : PCML_STATUS_INVALID_ARGUMENT);
  bad = ranks - 1;
  must(pcml_mpi_reduction_create(MPI_COMM_WORLD, &reduction));
  must(pcml_model_load(argv[1], &of_heat));
  must(pcml_options_create(&of_bar));
  must(pcml_options_set_shape(of_bar, 2, shape));
  model = of_heat;
  options = of_bar;

  PROJECT("nan", p.mean[17] = NAN)
  PROJECT("infinite variance", p.variance[3] = INFINITY)
  PROJECT("negative variance", p.variance[3] = -1.0)
  PROJECT("shape", p.count = CELLS - 1)
  PROJECT("another b", p.b[0] = 101.0)
  PROJECT("another prior", p.prior = PCML_PRIOR_IDENTITY)
  PROJECT("another noise", p.noise = 0.5)
  PROJECT("bounds on one rank", p.bounded = 1)
  PROJECT("no array", p.no_mean = 1)
  PROJECT("no workspace", p.no_workspace = 1)
  PROJECT("another header", p.struct_size = 8)
  PREDICT("operator: nan", p.before[5] = NAN);
  PREDICT("operator: shape", p.count -= 1);
  PREDICT("operator: another wall", p.walls[1][3] = 1.0);
  PREDICT("operator: a block of nobody", (p.blocks -= 1, p.count -= BLOCK));
  PREDICT("operator: no part", p.no_part = 1);
  sums();
  setting_up();

  pcml_options_free(of_bar);
  pcml_model_free(of_heat);
  pcml_reduction_free(reduction);
  MPI_Finalize();
  return 0;
}
