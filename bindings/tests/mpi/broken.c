/* MPI fails on one rank, in its k-th all-reduce; or sums more values than an int counts. MPI_Allreduce is replaced here, as tools for
   profiling do.

       broken fatal <k> <file>      with the error handler that communicators have by default; 0: nothing fails, and lengths are told
       broken return <k> <file>     with MPI_ERRORS_RETURN
       broken chunks                counts beyond 2^31, of values that nobody reads

   What pcml returned where MPI failed is written to the file: launchers lose what ranks print just before they abort. */
#include "ranks.h"

#include <limits.h>

static int fails_at, calls, chunks;
static intptr_t last;

int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm) {
  if (chunks > 0) {
    printf("%lld %d\n", (long long)((intptr_t)to - last), count);
    last = (intptr_t)to;
    return --chunks == 0 ? MPI_ERR_OTHER : MPI_SUCCESS;
  }
  if (++calls != fails_at) {
    if (rank == 0)
      printf("%d integers\n", count);
    return PMPI_Allreduce(from, to, count, type, op, comm);
  }
  MPI_Comm_call_errhandler(comm, MPI_ERR_OTHER);
  return MPI_ERR_OTHER;
}

static int in_chunks(void) {
  const int64_t many = 2 * (int64_t)INT_MAX + 5;
  /* Addresses alone: nothing is read. */
  int64_t *values = (int64_t *)(intptr_t)4096;
  chunks = 4;
  last = (intptr_t)values;
  const int sound = pcml_mpi_sum(MPI_COMM_WORLD, values, many) == 0 && chunks == 1;
  last = (intptr_t)values;
  return sound && pcml_mpi_sum(MPI_COMM_WORLD, values, many) == MPI_ERR_OTHER ? 0 : 1;
}

int main(int argc, char **argv) {
  const double ones[4] = {1.0, 1.0, 1.0, 1.0}, values[4] = {0.0, 1.0, 2.0, 3.0}, level = 4.0;
  double posterior[4] = {-7.0, -7.0, -7.0, -7.0};
  pcml_constraints *laws;
  pcml_projector *projector;
  pcml_workspace *workspace;
  pcml_reduction *reduction;
  if (argc == 2 && strcmp(argv[1], "chunks") == 0)
    return in_chunks();
  start(&argc, &argv);
  must(argc == 4 ? PCML_STATUS_OK : PCML_STATUS_INVALID_ARGUMENT);
  if (strcmp(argv[1], "return") == 0)
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  fails_at = rank == ranks - 1 ? atoi(argv[2]) : 0;

  const pcml_const_array weight = input(ones, PCML_DTYPE_F64, 4), mean = input(values, PCML_DTYPE_F64, 4);
  const pcml_const_array b = input(&level, PCML_DTYPE_F64, 1);
  const pcml_array out = output(posterior, PCML_DTYPE_F64, 4);
  must(pcml_constraints_create(4, &laws));
  must(pcml_constraints_add_row(laws, &weight, 0.0));
  must(pcml_projector_create(laws, PCML_PRIOR_IDENTITY, NULL, &projector));
  must(pcml_part_workspace(projector, &workspace));
  must(pcml_mpi_reduction_create(MPI_COMM_WORLD, &reduction));
  const int32_t status = pcml_part_project(projector, workspace, reduction, &mean, NULL, &b, NULL, NULL, &out, NULL, NULL);
  if (status != PCML_STATUS_OK) {
    int untouched = 1;
    for (int i = 0; i < 4; i++)
      untouched = untouched && posterior[i] == -7.0;
    FILE *file = fopen(argv[3], "w");
    if (file != NULL) {
      fprintf(file, "rank %d: %s, %s\n", rank, pcml_status_name(status), untouched ? "untouched" : "written");
      fclose(file);
    }
    MPI_Abort(MPI_COMM_WORLD, 3);
  }
  pcml_reduction_free(reduction);
  pcml_workspace_free(workspace);
  pcml_projector_free(projector);
  pcml_constraints_free(laws);
  MPI_Finalize();
  return 0;
}
