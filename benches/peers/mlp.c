/* A perceptron 60-128-128-60 with ReLU, f32, one thread: pcml, ONNX Runtime through its C interface, and plain Fortran (mlp.f90), in turns.

       mlp MODEL.safetensors MODEL.onnx WEIGHTS TURNS ROWS ..

   Prints a line `rows who seconds_per_call` for each turn of each. Compiled and run by mlp.py, which writes the files: without ONNX_RUNTIME or
   FORTRAN that peer is left out. WEIGHTS are f32, for each layer [inner][outer] and [outer]. All must agree to 1e-5. */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <pcml.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { WIDTH = 60, HIDDEN = 128, WEIGHTS = 2 * WIDTH * HIDDEN + HIDDEN * HIDDEN + 2 * HIDDEN + WIDTH };

static void check(int32_t status) {
  if (status != PCML_STATUS_OK) {
    char text[512] = "";
    pcml_error_message(text, sizeof text, NULL);
    fprintf(stderr, "%s: %s\n", pcml_status_name(status), text);
    exit(1);
  }
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What the calls of a batch work on. */
static struct {
  int64_t rows;
  float *x, *y;
  pcml_plan *plan;
  pcml_workspace *workspace;
} here;

static void pcml_call(void) {
  pcml_const_array x = {sizeof x, here.x, PCML_DTYPE_F32, 2, {here.rows, WIDTH}, {WIDTH, 1}};
  pcml_array y = {sizeof y, here.y, PCML_DTYPE_F32, 2, {here.rows, WIDTH}, {WIDTH, 1}};
  check(pcml_plan_predict(here.plan, here.workspace, &x, NULL, 0, &y));
}

static void plan(const pcml_model *model) {
  pcml_options *options;
  check(pcml_options_create(&options));
  check(pcml_options_set_batch(options, here.rows));
  check(pcml_plan_create(model, PCML_DTYPE_F32, options, &here.plan));
  check(pcml_plan_workspace(here.plan, &here.workspace));
  pcml_options_free(options);
}

#ifdef ONNX_RUNTIME
#include <onnxruntime_c_api.h>

static const OrtApi *ort;
static OrtSession *session;
static OrtValue *ort_x, *ort_y;

static void ort_check(OrtStatus *status) {
  if (status) {
    fprintf(stderr, "%s\n", ort->GetErrorMessage(status));
    exit(1);
  }
}

static void ort_begin(const char *path) {
  OrtEnv *env;
  OrtSessionOptions *options;
  ort = OrtGetApiBase()->GetApi(ORT_API_VERSION);
  ort_check(ort->CreateEnv(ORT_LOGGING_LEVEL_ERROR, "mlp", &env));
  ort_check(ort->CreateSessionOptions(&options));
  ort_check(ort->SetIntraOpNumThreads(options, 1));
  ort_check(ort->SetInterOpNumThreads(options, 1));
  ort_check(ort->SetSessionGraphOptimizationLevel(options, ORT_ENABLE_ALL));
  ort_check(ort->CreateSession(env, path, options, &session));
}

/* Its best case: tensors made once over the caller's arrays. */
static void ort_arrays(void) {
  OrtMemoryInfo *memory;
  const int64_t shape[] = {here.rows, WIDTH};
  const size_t bytes = sizeof(float) * WIDTH * (size_t)here.rows;
  ort_check(ort->CreateCpuMemoryInfo(OrtArenaAllocator, OrtMemTypeDefault, &memory));
  ort_check(ort->CreateTensorWithDataAsOrtValue(memory, here.x, bytes, shape, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &ort_x));
  ort_check(ort->CreateTensorWithDataAsOrtValue(memory, here.y, bytes, shape, 2, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT, &ort_y));
  ort->ReleaseMemoryInfo(memory);
}

static void ort_call(void) {
  const char *inputs[] = {"x"}, *outputs[] = {"y"};
  const OrtValue *given[] = {ort_x};
  ort_check(ort->Run(session, NULL, inputs, given, 1, outputs, 1, &ort_y));
}
#endif

#ifdef FORTRAN
void perceptron_prepare(int64_t rows, const float *weights);
void perceptron_predict(const float *x, float *y);

static void fortran_call(void) { perceptron_predict(here.x, here.y); }
#endif

static const struct {
  const char *name;
  void (*call)(void);
} peers[] = {
    {"pcml", pcml_call},
#ifdef ONNX_RUNTIME
    {"ONNX Runtime", ort_call},
#endif
#ifdef FORTRAN
    {"Fortran", fortran_call},
#endif
};
enum { PEERS = sizeof peers / sizeof peers[0] };

static void *memory(size_t bytes) {
  void *found = aligned_alloc(64, (bytes + 63) / 64 * 64);
  if (!found) exit(1);
  return found;
}

int main(int argc, char **argv) {
  pcml_model *model;
  static float weights[WEIGHTS];
  if (argc < 6) return 2;
  check(pcml_model_load(argv[1], &model));
#ifdef ONNX_RUNTIME
  ort_begin(argv[2]);
#endif
  FILE *file = fopen(argv[3], "rb");
  if (!file || fread(weights, sizeof(float), WEIGHTS, file) != WEIGHTS) return 1;
  fclose(file);
  const int turns = atoi(argv[4]);
  for (int a = 5; a < argc; a++) {
    here.rows = atoll(argv[a]);
    const size_t count = (size_t)here.rows * WIDTH;
    here.x = memory(sizeof(float) * count);
    here.y = memory(sizeof(float) * count);
    float *first = memory(sizeof(float) * count);
    for (size_t i = 0; i < count; i++) here.x[i] = (float)sin(0.37 * (double)(i % 100003));
    plan(model);
#ifdef ONNX_RUNTIME
    ort_arrays();
#endif
#ifdef FORTRAN
    perceptron_prepare(here.rows, weights);
#endif
    for (int p = 0; p < PEERS; p++) {
      double error = 0.0, largest = 0.0;
      peers[p].call();
      for (size_t i = 0; i < count; i++) {
        if (p == 0) first[i] = here.y[i];
        error = fmax(error, fabs((double)here.y[i] - (double)first[i]));
        largest = fmax(largest, fabs((double)first[i]));
      }
      if (!(error <= 1e-5 * largest)) {
        fprintf(stderr, "%s differs by %g of %g at %s rows\n", peers[p].name, error, largest, argv[a]);
        return 1;
      }
    }
    /* About 2 ms a turn. */
    const int calls = (int)(20000 / (here.rows + 8)) + 1;
    for (int t = 0; t < turns; t++) {
      for (int p = 0; p < PEERS; p++) {
        peers[p].call();
        const double start = now();
        for (int k = 0; k < calls; k++) peers[p].call();
        printf("%s %s: %.6e\n", argv[a], peers[p].name, (now() - start) / calls);
      }
    }
    pcml_workspace_free(here.workspace);
    pcml_plan_free(here.plan);
    free(here.x);
    free(here.y);
    free(first);
  }
  pcml_model_free(model);
  return 0;
}
