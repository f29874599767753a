/* Tracers of a field in latitude bands, one band a rank: each gets its mass back and stays within its bounds, with the same bits on any
   number of ranks.

       mpirun -n 4 field

   Transport has blurred every tracer and left values below 0 and above 1. A projection finds the nearest fields, in the metric of the
   stated variances, that hold the mass from before and lie within the bounds. The tracers are projected one by one, but their
   messages travel together, in one MPI_Allreduce a step however many tracers there are. Bands have unequal sizes and halo rows, and
   the library works on them in place. */
#include <float.h>
#include <math.h>

#include "common.h"

enum { LATITUDES = 24, LONGITUDES = 36, CELLS = LATITUDES * LONGITUDES, WIDTH = LONGITUDES + 2, TRACERS = 6, MOST_RANKS = 6 };

/* One tracer on this rank's band, with a halo of one cell all around. */
typedef struct {
  double value[LATITUDES + 2][WIDTH], variance[LATITUDES][LONGITUDES];
  pcml_workspace *workspace;
  pcml_const_array mean, spread;
  pcml_array posterior;
  int64_t *message, count;
  int32_t status;
} tracer;

static tracer tracers[TRACERS];
static double volume[CELLS], lower[CELLS], upper[CELLS];
static double before[TRACERS][CELLS], after[TRACERS][CELLS];

/* Bands grow with the rank: 1 : 2 : 3 and so on. */
static int band(int rank, int ranks) {
  return LATITUDES * rank * (rank + 1) / (ranks * (ranks + 1));
}

/* A plume around a place of its own; k counts tracers, i and j cells. All values are sums of powers of 2, and so exact. */
static double plume(int k, int i, int j) {
  const int north = i - 3 * (k + 1), east = j - 5 * (k + 1);
  const int away = 2 * north * north + east * east;
  return away < 64 ? 1.0 - away / 64.0 : 0.0;
}

static double error_of_transport(int k, int i, int j) {
  return ((i * LONGITUDES + j) * 7919 + k * 104729) % 1009 / 8192.0 - 0.0625;
}

/* This rank's rows of all tracers, and the mass of each over all ranks: exact sums, rounded once. */
static int32_t initialise(int first, int rows, double *mass) {
  static double exact[CELLS];
  int64_t bins[TRACERS * PCML_SUM_BINS];
  int32_t status = PCML_STATUS_OK;
  const pcml_const_array weights = input(volume, rows * LONGITUDES), values = input(exact, rows * LONGITUDES);
  for (int k = 0; k < TRACERS; k++) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < LONGITUDES; j++) {
        exact[i * LONGITUDES + j] = plume(k, first + i, j);
        tracers[k].value[i + 1][j + 1] = plume(k, first + i, j) + error_of_transport(k, first + i, j);
        tracers[k].variance[i][j] = (1 + (i + first + j + k) % 8) / 1024.0;
        before[k][i * LONGITUDES + j] = tracers[k].value[i + 1][j + 1];
      }
    }
    if (status == PCML_STATUS_OK)
      status = pcml_sum_bins(&weights, &values, bins + k * PCML_SUM_BINS);
  }
  check_all(status);
  if (pcml_mpi_sum(MPI_COMM_WORLD, bins, TRACERS * PCML_SUM_BINS) != 0)
    return PCML_STATUS_REDUCTION;
  for (int k = 0; k < TRACERS && status == PCML_STATUS_OK; k++)
    status = pcml_sum_round(bins + k * PCML_SUM_BINS, &mass[k]);
  return status;
}

/* One law, the mass: this rank has the weights of its own cells. */
static int32_t create(int rows, pcml_projector **projector) {
  const pcml_const_array weights = input(volume, rows * LONGITUDES);
  pcml_constraints *laws = NULL;
  int32_t status = pcml_constraints_create(rows * LONGITUDES, &laws);
  if (status == PCML_STATUS_OK)
    status = pcml_constraints_add_row(laws, &weights, 0.0);
  if (status == PCML_STATUS_OK)
    status = pcml_projector_create(laws, PCML_PRIOR_DIAGONAL, NULL, projector);
  pcml_constraints_free(laws);
  for (int k = 0; k < TRACERS && status == PCML_STATUS_OK; k++)
    status = pcml_part_workspace(*projector, &tracers[k].workspace);
  return status;
}

/* Sums the messages of all tracers over the ranks, as one. A tracer that is done or refused has a message of length 0. Where MPI fails,
   the error handler of MPI_COMM_WORLD ends the job. */
static void sum_messages(void) {
  static int64_t *together;
  int64_t count = 0, at = 0;
  for (int k = 0; k < TRACERS; k++)
    count += tracers[k].count;
  together = (int64_t *)realloc(together, (size_t)count * sizeof *together + 1);
  for (int k = 0; k < TRACERS; at += tracers[k++].count)
    memcpy(together + at, tracers[k].message, (size_t)tracers[k].count * sizeof *together);
  pcml_mpi_sum(MPI_COMM_WORLD, together, count);
  at = 0;
  for (int k = 0; k < TRACERS; at += tracers[k++].count)
    memcpy(tracers[k].message, together + at, (size_t)tracers[k].count * sizeof *together);
}

/* Projects all tracers at once, each within 0 and 1; their statuses are then the same on all ranks. Returns how often ranks met. */
static int project(const pcml_projector *projector, int rows, const double *mass) {
  const pcml_const_array least = input(lower, rows * LONGITUDES), most = input(upper, rows * LONGITUDES);
  int32_t status = PCML_STATUS_OK;
  int meetings = 0, talking = TRACERS;
  for (int k = 0; k < TRACERS; k++) {
    tracer *t = &tracers[k];
    const pcml_const_array mean = {sizeof mean, &t->value[1][1], PCML_DTYPE_F64, 2, {rows, LONGITUDES}, {WIDTH, 1}};
    const pcml_array posterior = {sizeof posterior, &t->value[1][1], PCML_DTYPE_F64, 2, {rows, LONGITUDES}, {WIDTH, 1}};
    const pcml_const_array b = input(&mass[k], 1);
    t->mean = mean;
    t->posterior = posterior;
    t->spread = input(t->variance[0], rows * LONGITUDES);
    t->status = pcml_part_begin(projector, t->workspace, &t->mean, &t->spread, &b, &least, &most, &t->posterior, NULL, NULL, &t->message,
                                &t->count);
    if (status == PCML_STATUS_OK)
      status = t->status;
  }
  /* Only a handle or a descriptor is refused here; values and shapes are told by the messages. */
  check_all(status);
  while (talking > 0) {
    sum_messages();
    meetings++;
    talking = 0;
    for (int k = 0; k < TRACERS; k++) {
      tracer *t = &tracers[k];
      const pcml_const_array b = input(&mass[k], 1);
      if (t->count > 0)
        t->status = pcml_part_continue(projector, t->workspace, &t->mean, &t->spread, &b, &least, &most, &t->posterior, NULL, NULL,
                                       &t->message, &t->count);
      talking += t->count > 0;
    }
  }
  return meetings;
}

/* Prints one line; whether the field has its mass to the last bits and is within its bounds. */
static int tell(int k, const char *name, const double *u, const double *weights, double mass) {
  double found = 0.0, least = u[0], most = u[0];
  int at_lower = 0, at_upper = 0;
  const pcml_const_array w = input(weights, CELLS), values = input(u, CELLS);
  if (pcml_sum(&w, &values, NULL, &found) != PCML_STATUS_OK)
    return 0;
  for (int i = 0; i < CELLS; i++) {
    least = u[i] < least ? u[i] : least;
    most = u[i] > most ? u[i] : most;
    at_lower += u[i] <= 0.0;
    at_upper += u[i] >= 1.0;
  }
  printf("%6d %-9s %12.6f %12.6f %9.6f %9.6f %5d %5d\n", k, name, found, found - mass, least, most, at_lower, at_upper);
  return fabs(found - mass) <= 4.0 * DBL_EPSILON * mass && least >= 0.0 && most <= 1.0;
}

int main(int argc, char **argv) {
  static double whole[CELLS], weights[CELLS];
  int rank, ranks;
  double mass[TRACERS];
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (ranks > MOST_RANKS) {
    if (rank == 0)
      fprintf(stderr, "%d ranks, expected at most %d\n", ranks, MOST_RANKS);
    MPI_Finalize();
    return 2;
  }
  const int first = band(rank, ranks), rows = band(rank + 1, ranks) - first;
  for (int i = 0; i < rows * LONGITUDES; i++) {
    const int latitude = first + i / LONGITUDES;
    volume[i] = (latitude + 1) * (LATITUDES - latitude) / 4096.0;
    upper[i] = 1.0;
  }

  pcml_projector *projector = NULL;
  check_all(initialise(first, rows, mass));
  check_all(create(rows, &projector));
  const int meetings = project(projector, rows, mass);

  uint64_t bits = 0;
  int lawful = 0;
  gather(volume, rows * LONGITUDES, weights, ranks);
  if (rank == 0)
    printf("tracer                   mass  from target     least      most  <= 0  >= 1\n");
  for (int k = 0; k < TRACERS; k++) {
    for (int i = 0; i < rows; i++)
      memcpy(after[k] + i * LONGITUDES, &tracers[k].value[i + 1][1], LONGITUDES * sizeof(double));
    gather(before[k], rows * LONGITUDES, whole, ranks);
    if (rank == 0)
      tell(k, "given", whole, weights, mass[k]);
    gather(after[k], rows * LONGITUDES, whole, ranks);
    if (rank == 0 && tracers[k].status == PCML_STATUS_OK)
      lawful += tell(k, "projected", whole, weights, mass[k]);
    else if (rank == 0)
      printf("%6d refused: status %d\n", k, (int)tracers[k].status);
    mix(&bits, whole, CELLS);
    pcml_workspace_free(tracers[k].workspace);
  }
  if (rank == 0)
    printf("%d of %d tracers lawful after %d reductions\nbits %016llX\n", lawful, TRACERS, meetings, (unsigned long long)bits);
  pcml_projector_free(projector);
  MPI_Finalize();
  return rank == 0 && lawful < TRACERS;
}
