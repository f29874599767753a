/* Two processes that do the same at once, each with a plan of its own and one thread, in turns with one of them while the other sleeps.

       mpicc -O2 processes.c $(pkg-config --cflags --libs pcml) -o processes
       mpirun -n 2 ./processes OPERATOR.safetensors PERCEPTRON.safetensors ROUNDS

   The model files are those of threads.c. */
#define _POSIX_C_SOURCE 199309L
#include "together.h"

#include <mpi.h>

/* Ranks that wait leave the machine to those that work. */
static void meet(void) {
  const struct timespec pause = {0, 100000};
  MPI_Request request;
  int there = 0;
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  for (MPI_Test(&request, &there, MPI_STATUS_IGNORE); !there; MPI_Test(&request, &there, MPI_STATUS_IGNORE))
    nanosleep(&pause, NULL);
}

static double measure(const job *of, const worker *w) {
  const double start = now();
  work(of, w);
  return now() - start;
}

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  const int rounds = argc == 4 ? atoi(argv[3]) : 0;
  double *alone = calloc((size_t)rounds + 1, sizeof *alone), *together = calloc((size_t)rounds + 1, sizeof *together);
  if (ranks != 2 || rounds < 1 || alone == NULL || together == NULL)
    MPI_Abort(MPI_COMM_WORLD, 2);
  for (int kind = 0; kind < JOBS; kind++) {
    job of = job_new(kind, argv[1], argv[2]);
    worker w = worker_new(&of);
    measure(&of, &w);
    for (int r = 0; r < rounds; r++) {
      double own;
      meet();
      if (rank == 0)
        alone[r] = measure(&of, &w);
      meet();
      MPI_Barrier(MPI_COMM_WORLD);
      own = measure(&of, &w);
      MPI_Reduce(&own, &together[r], 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
    }
    if (rank == 0)
      tell(kind, rounds, alone, together);
    worker_free(&w);
    job_free(&of);
  }
  free(alone);
  free(together);
  return MPI_Finalize();
}
