/* One shared plan called by 1 and by 2 threads of an OpenMP region, in turns.

       cc -O2 -fopenmp threads.c $(pkg-config --cflags --libs pcml) -o threads
       OMP_PROC_BIND=true OMP_WAIT_POLICY=passive ./threads OPERATOR.safetensors PERCEPTRON.safetensors ROUNDS

   The model files are written by `cargo bench --bench fno -- --only fno_2d_64x64 --save PATH` and `cargo bench --bench mlp -- --save PATH`. */
#define _POSIX_C_SOURCE 199309L
#include "together.h"

#include <omp.h>

/* From the moment at which all threads are there until the last one is done. */
static double measure(const job *of, const worker *workers, int threads) {
  double start = 0.0;
#pragma omp parallel num_threads(threads)
  {
#pragma omp barrier
#pragma omp master
    start = now();
    work(of, &workers[omp_get_thread_num()]);
  }
  return now() - start;
}

int main(int argc, char **argv) {
  const int rounds = argc == 4 ? atoi(argv[3]) : 0;
  double *alone = calloc((size_t)rounds + 1, sizeof *alone), *together = calloc((size_t)rounds + 1, sizeof *together);
  if (rounds < 1 || alone == NULL || together == NULL)
    return 2;
  omp_set_dynamic(0);
  for (int kind = 0; kind < JOBS; kind++) {
    job of = job_new(kind, argv[1], argv[2]);
    worker workers[2] = {worker_new(&of), worker_new(&of)};
    measure(&of, workers, 2);
    for (int r = 0; r < rounds; r++) {
      alone[r] = measure(&of, workers, 1);
      together[r] = measure(&of, workers, 2);
    }
    tell(kind, rounds, alone, together);
    worker_free(&workers[0]);
    worker_free(&workers[1]);
    job_free(&of);
  }
  free(alone);
  free(together);
  return 0;
}
