/* A neural operator with boundary conditions on a bar that lies in parts, one a rank, with the same bits on any number of ranks.

       mpirun -n 4 operator <insulated.safetensors>

   A bar is insulated on the left and heated on the right; the operator maps its first temperature to that at 25 times, and both walls'
   conditions hold (the model is that of ../c/insulated.c). Rank 0 reads the model and broadcasts it; each rank evaluates the operator
   at its own points. What ranks exchange are sums of integers, a few times a call, and no points. */
#include "common.h"

enum { POINTS = 100, TIMES = 25, CELLS = POINTS * TIMES, BLOCK = 10 * TIMES, BLOCKS = CELLS / BLOCK };

/* The model file on all ranks; of size 0 where rank 0 cannot read it. */
static char *read_and_broadcast(const char *path, int rank, int64_t *size) {
  char *bytes = NULL;
  *size = 0;
  FILE *file = rank == 0 ? fopen(path, "rb") : NULL;
  const long length = file != NULL && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : 0;
  if (length > 0 && (bytes = (char *)malloc((size_t)length)) != NULL) {
    rewind(file);
    *size = (int64_t)fread(bytes, 1, (size_t)length, file);
  }
  if (file != NULL)
    fclose(file);
  MPI_Bcast(size, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
  if (rank != 0)
    bytes = (char *)malloc((size_t)*size + 1);
  MPI_Bcast(bytes, (int)*size, MPI_BYTE, 0, MPI_COMM_WORLD);
  return bytes;
}

/* This rank's part: a run of blocks, each of ten points of the bar at all times. */
static int32_t create(const char *bytes, int64_t size, const int64_t *owned, int64_t blocks, pcml_operator_part **part,
                      pcml_workspace **workspace, pcml_reduction **reduction) {
  const int64_t shape[2] = {POINTS, TIMES};
  pcml_model *model = NULL;
  pcml_options *options = NULL;
  int32_t status = pcml_model_load_bytes(bytes, size, &model);
  if (status == PCML_STATUS_OK)
    status = pcml_options_create(&options);
  if (status == PCML_STATUS_OK)
    status = pcml_options_set_shape(options, 2, shape);
  if (status == PCML_STATUS_OK)
    status = pcml_operator_part_create(model, PCML_DTYPE_F64, options, BLOCK, owned, blocks, part);
  if (status == PCML_STATUS_OK)
    status = pcml_operator_part_workspace(*part, workspace);
  if (status == PCML_STATUS_OK)
    status = pcml_mpi_reduction_create(MPI_COMM_WORLD, reduction);
  pcml_options_free(options);
  pcml_model_free(model);
  return status;
}

/* Near cos(3.1 pi x), of products and sums alone, whose bits no mathematics library decides. */
static double first_temperature(int point) {
  double phase = 3.1 * point / (POINTS - 1);
  while (phase > 2.0)
    phase -= 2.0;
  const double away = phase > 1.0 ? 2.0 - phase : phase;
  return away < 0.5 ? 1.0 - 4.0 * away * away : 4.0 * (1.0 - away) * (1.0 - away) - 1.0;
}

/* The gradient at the right wall, near 5 sin(pi t), t in (0, 2]. */
static double heating(int time) {
  const double t = (time + 1) * 2.0 / TIMES;
  return t <= 1.0 ? 20.0 * t * (1.0 - t) : -20.0 * (t - 1.0) * (2.0 - t);
}

int main(int argc, char **argv) {
  static double before[CELLS], after[CELLS], whole[CELLS], walls[2][TIMES];
  int64_t owned[BLOCKS], size;
  uint64_t bits = 0;
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc != 2 || ranks > BLOCKS) {
    if (rank == 0)
      fprintf(stderr, "usage: mpirun -n <1 to %d> %s <insulated.safetensors>\n", BLOCKS, argv[0]);
    MPI_Finalize();
    return 2;
  }
  const int first = BLOCKS * rank / ranks, blocks = BLOCKS * (rank + 1) / ranks - first, cells = blocks * BLOCK;
  for (int b = 0; b < blocks; b++)
    owned[b] = first + b;
  for (int i = 0; i < cells; i++)
    before[i] = first_temperature((first * BLOCK + i) / TIMES);
  for (int t = 0; t < TIMES; t++)
    walls[1][t] = heating(t);

  pcml_operator_part *part = NULL;
  pcml_workspace *workspace = NULL;
  pcml_reduction *reduction = NULL;
  char *bytes = read_and_broadcast(argv[1], rank, &size);
  if (size == 0) {
    if (rank == 0)
      fprintf(stderr, "cannot read %s\n", argv[1]);
    free(bytes);
    MPI_Finalize();
    return 1;
  }
  check_all(create(bytes, size, owned, blocks, &part, &workspace, &reduction));
  free(bytes);

  const pcml_const_array in = input(before, cells), conditions[2] = {input(walls[0], TIMES), input(walls[1], TIMES)};
  const pcml_array out = output(after, cells);
  const int32_t status = pcml_operator_part_predict(part, workspace, reduction, &in, conditions, 2, &out);
  check_all(status);

  gather(after, cells, whole, ranks);
  if (rank == 0)
    printf("  time       left     middle      right       mean\n");
  for (int t = 0; t < TIMES; t += 6) {
    /* The points of all ranks at one time: a section of each rank's array. */
    const pcml_const_array now = {sizeof now, after + t, PCML_DTYPE_F64, 1, {cells / TIMES}, {TIMES}};
    double sum = 0.0;
    check_all(pcml_sum(&now, NULL, reduction, &sum));
    if (rank == 0)
      printf("%6.2f %10.6f %10.6f %10.6f %10.6f\n", 0.08 * (t + 1), whole[t], whole[CELLS / 2 + t], whole[CELLS - TIMES + t], sum / POINTS);
  }
  mix(&bits, whole, CELLS);
  if (rank == 0)
    printf("bits %016llX\n", (unsigned long long)bits);
  pcml_reduction_free(reduction);
  pcml_workspace_free(workspace);
  pcml_operator_part_free(part);
  MPI_Finalize();
  return 0;
}
