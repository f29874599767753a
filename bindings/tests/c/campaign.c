/* Bad calls: seeded sequences of calls of every function of pcml.h with good, wrong and hostile arguments.

       campaign <source tree> [--seed n] [--calls n] [--sequence n] [--trace] [--flush] [--bits] [--layout n] [--threads n]

   A sequence begins without objects, makes some, calls with them, and frees them. After each failure all memory of the caller is bit for bit
   as it was, the status is one that the header lists for the function, and there is a text. After each sequence a prediction and a
   projection give the bits that they gave before the first, and the heap has as many blocks. --sequence repeats one, --trace tells each
   call, --flush runs with subnormal numbers flushed to zero, as hosts do. Exits with 1 when something is found.

   With --bits all calls are good, and each function's results are told as one number: two runs of one seed are to tell the same, wherever
   arrays lie (--layout: other strides, directions, orders of axes, places), on however many threads plans run (--threads), in this process
   or another. Each slice of a batch is called alone too, and has to have the bits that it had among the others. */
#include "hostile.h"

enum kind { OPTIONS, BOUNDARY, CONSTRAINTS, PROJECTOR, WORKSPACE, REPORT, REDUCTION, MODEL, PLANS, PART, MESH, KINDS };
enum use { OF_PLAN, OF_DERIVATIVES, OF_PROJECTOR, OF_BOUNDS, OF_INVARIANTS, OF_INFERENCE, OF_PARTS, OF_MESH, OF_OPERATOR };
enum family { MLP, ANP, DEEPONET, FNO, GP };

/* A model as the campaign calls it; faces of fields count those with values. */
typedef struct {
  const char *file;
  enum family family;
  int inputs, outputs, members, rank, faces, axes[4], channels, hidden, log, norm, points;
} surrogate;

static const surrogate surrogates[] = {
    {"mlp", MLP, 2, 2, 0, 0, 0, {0}, 0, 0, 1, 0, 0},
    {"mlp-ensemble", MLP, 2, 2, 2, 0, 0, {0}, 0, 0, 1, 0, 0},
    {"anp", ANP, 2, 1, 0, 0, 0, {0}, 0, 4, 0, 0, 0},
    {"deeponet", DEEPONET, 1, 2, 0, 0, 0, {0}, 2, 0, 0, 0, 3},
    {"deeponet-ensemble", DEEPONET, 1, 2, 2, 0, 0, {0}, 2, 0, 0, 0, 3},
    {"fno1", FNO, 1, 1, 0, 1, 0, {0}, 0, 0, 0, 0, 0},
    {"fno1-all", FNO, 1, 1, 0, 1, 0, {0}, 0, 0, 0, 1, 0},
    {"fno2", FNO, 1, 1, 0, 2, 0, {0}, 0, 0, 0, 0, 0},
    {"fno3", FNO, 1, 1, 0, 3, 0, {0}, 0, 0, 0, 0, 0},
    {"boon1-exact", FNO, 1, 1, 0, 1, 2, {0, 0}, 0, 0, 0, 0, 0},
    {"boon1-seed", FNO, 1, 1, 0, 1, 2, {0, 0}, 0, 0, 0, 0, 0},
    {"boon2-exact", FNO, 1, 1, 0, 2, 4, {0, 0, 1, 1}, 0, 0, 0, 0, 0},
    {"boon2-seed", FNO, 1, 1, 0, 2, 0, {0}, 0, 0, 0, 0, 0},
    {"boon3-seed", FNO, 1, 1, 0, 3, 4, {0, 0, 1, 1}, 0, 0, 0, 0, 0},
    {"gp", GP, 2, 2, 0, 0, 0, {0}, 0, 0, 0, 0, 0},
    {"gp-points", GP, 1, 1, 0, 0, 0, {0}, 0, 0, 0, 0, 5},
};
enum { FILES = sizeof surrogates / sizeof *surrogates };
static struct {
  char path[512], *bytes;
  int64_t size;
} files[FILES];

typedef struct {
  void *object;
  enum kind kind;
  enum use use;
  long id, owner;
  int64_t cells, rows, invariants, slices, prior_size, batch, context, targets, covariance, latents, steps, grid[3], faces;
  int prior, dtype, flavour;
  surrogate model;
} object;

enum { ROOM = 6 };
static object pool[KINDS][ROOM];
static int alive[KINDS];
static long last_id;

static object *any(enum kind kind) { return alive[kind] ? &pool[kind][below(alive[kind])] : NULL; }

/* Calls without any object are told soon: they need not be many. */
static int lacks(enum kind kind) { return alive[kind] == 0 && !one_in(12); }

/* A handle as an argument: that of an object, or now and then none, one of another kind, or another one of its kind. */
static void *as_handle(const object *o, enum kind kind) {
  if (!hostile || !one_in(9))
    return o ? o->object : NULL;
  const object *other = any(one_in(2) ? kind : (enum kind)below(KINDS));
  return other && !one_in(3) ? other->object : NULL;
}
#define BOUNDARY_OF(o) ((pcml_boundary *)as_handle(o, BOUNDARY))
#define PROJECTOR_OF(o) ((pcml_projector *)as_handle(o, PROJECTOR))
#define WORKSPACE_OF(o) ((pcml_workspace *)as_handle(o, WORKSPACE))
#define MODEL_OF(o) ((pcml_model *)as_handle(o, MODEL))
#define PLAN_OF(o) ((pcml_plan *)as_handle(o, PLANS))
#define PART_OF(o) ((pcml_operator_part *)as_handle(o, PART))
#define MESH_OF(o) ((pcml_flux *)as_handle(o, MESH))
#define REDUCTION_OF(o) ((pcml_reduction *)as_handle(o, REDUCTION))

/* The same, but no other one of its kind: where an argument does not tell its size, another object might take more than there is. */
static void *own_handle(const object *o, enum kind kind) {
  void *handle = as_handle(o, kind);
  for (int k = 0; k < alive[kind]; k++)
    if (pool[kind][k].object == handle)
      return o ? o->object : NULL;
  return handle;
}
static pcml_projector *SIZED_BY(const object *o) { return own_handle(o, PROJECTOR); }

static pcml_options *OPTIONS_OF(const object *o) { return as_handle(o, OPTIONS); }

static pcml_constraints *CONSTRAINTS_OF(const object *o) {
  pcml_constraints *c = as_handle(o, CONSTRAINTS);
  watched_rows = o && c == o->object ? c : NULL;
  if (watched_rows)
    pcml_constraints_rows(c, &rows_before);
  return c;
}

static pcml_report *REPORT_OF(const object *o) {
  pcml_report *r = as_handle(o, REPORT);
  watched_report = o && r == o->object ? r : NULL;
  if (watched_report)
    report_before = bits_of(r);
  return r;
}

static void release(enum kind kind, int k) {
  void *o = pool[kind][k].object;
  enum kind by = hostile && one_in(8) ? (enum kind)below(KINDS) : kind;
  array_count = place_count = 0;
  if (by != kind)
    o = one_in(2) ? NULL : o;
  switch (by) {
  case OPTIONS: FREE(options_free, (pcml_options *)o); break;
  case BOUNDARY: FREE(boundary_free, (pcml_boundary *)o); break;
  case CONSTRAINTS: FREE(constraints_free, (pcml_constraints *)o); break;
  case PROJECTOR: FREE(projector_free, (pcml_projector *)o); break;
  case WORKSPACE: FREE(workspace_free, (pcml_workspace *)o); break;
  case REPORT: FREE(report_free, (pcml_report *)o); break;
  case REDUCTION: FREE(reduction_free, (pcml_reduction *)o); break;
  case MODEL: FREE(model_free, (pcml_model *)o); break;
  case PLANS: FREE(plan_free, (pcml_plan *)o); break;
  case PART: FREE(operator_part_free, (pcml_operator_part *)o); break;
  default: FREE(flux_free, (pcml_flux *)o); break;
  }
  if (by == kind)
    pool[kind][k] = pool[kind][--alive[kind]];
}

/* Takes what a create call left behind; the object is that of the slot. */
static object *keep(enum kind kind, int32_t status, void *slot, object like) {
  if (status != PCML_STATUS_OK || !slot)
    return NULL;
  like.kind = kind;
  like.id = ++last_id;
  memcpy(&like.object, slot, sizeof like.object);
  if (alive[kind] == ROOM) {
    int kept = hostile;
    hostile = 0;
    release(kind, below(ROOM));
    hostile = kept;
  }
  pool[kind][alive[kind]] = like;
  return &pool[kind][alive[kind]++];
}

static int hostility = 50;
static long threads = 1;
#define FRESH() fresh(hostility)
#define ON(body) do { FRESH(); body; } while (0)

static void make_options(void) {
  FRESH();
  void *slot = handle();
  keep(OPTIONS, CALL(options_create, slot), slot, (object){0});
}

static void set_option(void) {
  if (lacks(OPTIONS))
    return;
  FRESH();
  object *o = any(OPTIONS), *boundary = any(BOUNDARY);
  switch (below(25)) {
  case 0: CALL(options_set_batch, OPTIONS_OF(o), size(1 + below(3))); break;
  case 1: CALL(options_set_context, OPTIONS_OF(o), size(1 + below(5))); break;
  case 2: CALL(options_set_targets, OPTIONS_OF(o), size(1 + below(5))); break;
  case 3: CALL(options_set_covariance, OPTIONS_OF(o), size(below(4))); break;
  case 4: CALL(options_set_latents, OPTIONS_OF(o), size(below(3))); break;
  case 5: CALL(options_set_seed, OPTIONS_OF(o), (int64_t)word()); break;
  case 6: CALL(options_set_dropout, OPTIONS_OF(o), number(uniform(0.0, 0.9))); break;
  case 7: {
    int64_t shape[PCML_MAX_RANK] = {8, 8, 8, 1, 1, 1, 1, 1};
    pcml_array *extents = integers(PCML_MAX_RANK, shape);
    CALL(options_set_shape, OPTIONS_OF(o), count(1 + below(3)), P(extents));
    break;
  }
  case 8: CALL(options_set_steps, OPTIONS_OF(o), size(1 + below(2))); break;
  case 9: CALL(options_set_threads, OPTIONS_OF(o), hostile && one_in(4) ? ANY(odd_integers) : threads); break;
  case 10: CALL(options_set_transforms, OPTIONS_OF(o), choice(1 + below(3))); break;
  case 11: CALL(options_set_boundary, OPTIONS_OF(o), BOUNDARY_OF(boundary)); break;
  case 12: CALL(options_set_held_cells, OPTIONS_OF(o), choice(below(2))); break;
  case 13: CALL(options_set_prior_size, OPTIONS_OF(o), size(below(4))); break;
  case 14: CALL(options_set_smoothing, OPTIONS_OF(o), number(uniform(0.0, 0.99))); break;
  case 15: CALL(options_set_held_faces, OPTIONS_OF(o), choice(below(2))); break;
  case 16: CALL(options_set_direct_cells, OPTIONS_OF(o), size(below(40))); break;
  case 17: {
    pcml_array *scales = plain(3, POSITIVE);
    CALL(options_set_length_scales, OPTIONS_OF(o), count(1 + below(3)), P(scales));
    break;
  }
  case 18: CALL(options_set_signal_variance, OPTIONS_OF(o), number(uniform(0.1, 2.0))); break;
  case 19: CALL(options_set_noise_variance, OPTIONS_OF(o), number(uniform(0.0, 0.1))); break;
  case 20: {
    pcml_array *means = plain(3, NICE);
    CALL(options_set_means, OPTIONS_OF(o), count(1 + below(3)), P(means));
    break;
  }
  case 21: CALL(options_set_fitted, OPTIONS_OF(o), choice(below(16))); break;
  case 22: CALL(options_set_fit_range, OPTIONS_OF(o), number(uniform(1.0, 10.0))); break;
  /* Ten thousand restarts are lawful, and take their time. */
  case 23: CALL(options_set_restarts, OPTIONS_OF(o), hostile && one_in(4) ? odd_integers[below(8)] : below(3)); break;
  default: make_options();
  }
}

static void make_boundary(void) {
  FRESH();
  void *slot = handle();
  keep(BOUNDARY, CALL(boundary_create, slot), slot, (object){0});
}

static void add_face(void) {
  if (lacks(BOUNDARY))
    return;
  FRESH();
  object *o = any(BOUNDARY);
  int32_t kind = 1 + below(3);
  int64_t n = kind == PCML_BOUNDARY_KIND_NEUMANN ? 2 + below(3) : 0;
  pcml_array *stencil = n ? plain(16, POSITIVE) : NULL;
  int32_t status = CALL(boundary_add_face, BOUNDARY_OF(o), size(below(2)), choice(one_in(2) ? 1 : -1), choice(kind), P(stencil),
                        n && hostile && one_in(4) ? 2 + below(15) : count(n), n ? number(0.1) : number(0.0));
  if (o && status == PCML_STATUS_OK && kind != PCML_BOUNDARY_KIND_PERIODIC)
    o->faces++;
}

static void enforce(void) {
  if (lacks(BOUNDARY))
    return;
  FRESH();
  object *o = any(BOUNDARY);
  most = 4096;
  int64_t n = 5 + below(3), m = 5 + below(3), channels = 1 + below(2), faces = o ? o->faces : 0;
  pcml_array *field = output(array(4, (int64_t[]){2, n, m, channels}, NICE)), *values = NULL;
  for (int64_t k = 0; k < faces && k < 6; k++) {
    /* An axis is not told: as many values as either face has, or one that repeats. */
    pcml_array *a = cube(2, one_in(2) ? n : m, channels, NICE);
    if (one_in(3))
      for (int i = 0; i < 3; i++)
        a->strides[i] = 0;
    values = values ? values : a;
  }
  CALL_EACH(2, boundary_enforce, BOUNDARY_OF(o), W(field), size(2), R(values), count(faces < 6 ? faces : 6));
}

static void make_constraints(void) {
  FRESH();
  static const int64_t sizes[] = {1, 2, 5, 8, 12, 24};
  int64_t cells = size(ANY(sizes));
  void *slot = handle();
  object *o = keep(CONSTRAINTS, CALL(constraints_create, cells, slot), slot, (object){.cells = cells, .flavour = last_id < 12 ? (int)(last_id % 4) : below(4)});
  if (o && one_in(5))
    ON(CALL(constraints_set_bounds, CONSTRAINTS_OF(o), choice(1 + below(2)), choice(1 + below(3))));
}

static void add_rows(void) {
  if (lacks(CONSTRAINTS))
    return;
  object *o = any(CONSTRAINTS);
  FRESH();
  int64_t n = o ? o->cells : 5, few = n < 24 ? n : 24, half = few / 2 > 0 ? few / 2 : 1, none = 0;
  double noise = number(o && o->flavour != 2 && one_in(4) ? 0.01 : 0.0);
  int32_t status = -1;
  static const int kinds[4][9] = {{0, 1, 2, 3, 5, 6, 7, 8, 9}, {0, 1, 2, 3, 4, 4, 4, 0, 2}, {2, 6, 10, 10, 11, 11, 11, 10, 2}, {0, 2, 12, 12, 2, 0, 12, 6, 2}};
  int kind = o && !one_in(9) ? kinds[o->flavour][below(9)] : below(13);
  switch (kind) {
  case 0: case 1: {
    pcml_array *points = vector(few, RISING);
    status = CALL(constraints_add_quadrature, CONSTRAINTS_OF(o), choice(1 + below(4)), R(points), noise);
    break;
  }
  case 2: case 3: {
    pcml_array *weights = vector(few, one_in(2) ? NICE : POSITIVE);
    status = CALL(constraints_add_row, CONSTRAINTS_OF(o), R(weights), noise);
    break;
  }
  case 4: status = CALL(constraints_add_absent_row, CONSTRAINTS_OF(o), noise); break;
  case 5: {
    pcml_array *axes = vector(half, RISING);
    vector(few / half, RISING);
    status = CALL(constraints_add_grid_quadrature, CONSTRAINTS_OF(o), choice(1 + below(4)), R(axes), count(2), size(0), noise);
    break;
  }
  case 6: {
    int64_t places_of[4] = {0, 1, 2, 3}, cells[3] = {0, below((int)few), few - 1};
    pcml_array *starts = integers(4, places_of), *at = integers(3, cells), *weights = plain(3, NICE), *noises = plain(3, ZERO);
    status = CALL(constraints_add_sparse_rows, CONSTRAINTS_OF(o), count(3), P(starts), P(at), P(weights), one_in(2) ? NULL : P(noises));
    break;
  }
  case 7: {
    pcml_array *axes = vector(half, RISING);
    vector(few / half, RISING);
    int32_t sides[2] = {choice(1), choice(0)};
    status = CALL(constraints_add_boundary, CONSTRAINTS_OF(o), R(axes), count(2), size(0), hostile && one_in(9) ? NULL : sides, size(0),
                  number(1.0), number(one_in(2) ? 0.0 : 1.0), choice(1 + below(2)), noise);
    break;
  }
  case 8: {
    int64_t extents[2] = {half, few / half};
    pcml_array *shape = integers(2, extents);
    status = CALL(constraints_add_periodic, CONSTRAINTS_OF(o), P(shape), count(2), size(0), size(below(2)), noise);
    break;
  }
  case 9: {
    int64_t cells[4] = {0, few - 1, below((int)few), below((int)few)};
    pcml_array *at = integers(4, cells), *weights = plain(4, POSITIVE);
    /* Rows times width are what there is, or more than there can be. */
    int64_t rows = count(2), width = rows == 2 ? count(2) : 2;
    status = CALL(constraints_add_stencils, CONSTRAINTS_OF(o), rows, width, P(at), P(weights), choice(below(2)), noise);
    break;
  }
  case 10: {
    int64_t cells[3] = {0, few - 1, below((int)few)};
    pcml_array *i = integers(3, cells), *j = integers(3, cells), *weights = plain(3, POSITIVE);
    if (CALL(constraints_add_quadratic, CONSTRAINTS_OF(o), count(3), P(i), P(j), P(weights)) == PCML_STATUS_OK && o)
      o->invariants++;
    return;
  }
  case 11: {
    pcml_array *weights = vector(few, POSITIVE);
    if (CALL(constraints_add_energy, CONSTRAINTS_OF(o), R(weights)) == PCML_STATUS_OK && o)
      o->invariants++;
    return;
  }
  default:
    if (one_in(2))
      CALL(constraints_add_simplex, CONSTRAINTS_OF(o), size(0), size(2), size(half), number(1.0));
    else
      CALL(constraints_add_monotone, CONSTRAINTS_OF(o), size(0), size(few), choice(1 + below(2)));
    return;
  }
  if (o && status == PCML_STATUS_OK) {
    ON(void *slot = place(); CALL(constraints_rows, CONSTRAINTS_OF(o), slot));
    pcml_constraints_rows(o->object, &none);
    o->rows = none;
  }
}

static void make_projector(void) {
  if (lacks(CONSTRAINTS))
    return;
  object *of = any(CONSTRAINTS), *more = NULL, new = {0};
  int with = one_in(3);
  if (with)
    make_options();
  FRESH();
  new.prior = 1 + below(9);
  if (new.prior >= PCML_PRIOR_COVARIANCE_BAND && new.prior <= PCML_PRIOR_ENSEMBLE)
    new.prior_size = new.prior <= PCML_PRIOR_PRECISION_BAND ? below(2) : 2;
  if (of) {
    new.cells = of->cells, new.rows = of->rows, new.invariants = of->invariants, new.flavour = of->flavour;
    if (of->flavour && !one_in(4))
      new.prior = 1 + below(3);
  }
  more = with ? any(OPTIONS) : NULL;
  if (!more || pcml_options_set_prior_size(more->object, new.prior_size) != PCML_STATUS_OK)
    new.prior_size = 0;
  void *slot = handle();
  keep(PROJECTOR, CALL(projector_create, own_handle(of, CONSTRAINTS), choice(new.prior), OPTIONS_OF(more), slot), slot, new);
}

/* A workspace of an object for one use; made when there is none. */
static object *workspace_of(const object *owner, enum use use) {
  if (!owner)
    return any(WORKSPACE);
  for (int k = 0; k < alive[WORKSPACE]; k++)
    if (pool[WORKSPACE][k].owner == owner->id && pool[WORKSPACE][k].use == use)
      return &pool[WORKSPACE][k];
  object new = {.owner = owner->id, .use = use};
  object kept = *owner;
  owner = &kept;
  FRESH();
  void *slot = handle();
  new.slices = size(1 + below(3));
  int32_t status;
  switch (use) {
  case OF_PLAN: status = CALL(plan_workspace, PLAN_OF(owner), slot); break;
  case OF_DERIVATIVES: status = CALL(plan_derivative_workspace, PLAN_OF(owner), slot); break;
  case OF_PROJECTOR: status = CALL(projector_workspace, PROJECTOR_OF(owner), new.slices, slot); break;
  case OF_BOUNDS: status = CALL(bounded_workspace, PROJECTOR_OF(owner), new.slices, slot); break;
  case OF_INVARIANTS: status = CALL(nonlinear_workspace, PROJECTOR_OF(owner), new.slices, slot); break;
  case OF_INFERENCE: status = CALL(inference_workspace, PROJECTOR_OF(owner), new.slices, slot); break;
  case OF_PARTS: status = CALL(part_workspace, PROJECTOR_OF(owner), slot); break;
  case OF_MESH: status = CALL(flux_workspace, MESH_OF(owner), slot); break;
  default: status = CALL(operator_part_workspace, PART_OF(owner), slot);
  }
  return keep(WORKSPACE, status, slot, new);
}

static object *report_of(const object *owner) {
  if (!owner)
    return any(REPORT);
  for (int k = 0; k < alive[REPORT]; k++)
    if (pool[REPORT][k].owner == owner->id)
      return &pool[REPORT][k];
  FRESH();
  object new = {.owner = owner->id, .slices = size(1 + below(3)), .rows = owner->rows + owner->invariants};
  void *slot = handle();
  return keep(REPORT, CALL(projector_report, PROJECTOR_OF(owner), new.slices, slot), slot, new);
}

/* Sizes of a call; those beyond the arena are a caller's who has so many cells. */
static int64_t few(int64_t n, int64_t limit) { return n < 1 ? 1 : n > limit ? limit : n; }

static pcml_array *shared(pcml_array *a) {
  is_shared[a - arrays] = 1;
  return a;
}

static pcml_array *prior_data(const object *p, int64_t cells) {
  int64_t k = p ? p->prior_size : 0;
  pcml_array *a;
  switch (p ? p->prior : 1) {
  case PCML_PRIOR_DIAGONAL: case PCML_PRIOR_SMOOTHED: return vector(cells, POSITIVE);
  case PCML_PRIOR_SCALAR: return vector(1, POSITIVE);
  case PCML_PRIOR_COVARIANCE_BAND: case PCML_PRIOR_PRECISION_BAND: case PCML_PRIOR_LOW_RANK:
    a = shared(matrix(k + 1, cells, UNIT));
    for (int64_t i = 0; i < cells; i++)
      store(element(a, i), a->dtype, 3.0);
    return a;
  case PCML_PRIOR_ENSEMBLE: return shared(matrix(k, cells, NICE));
  case PCML_PRIOR_DENSE:
    a = shared(matrix(cells, cells, ZERO));
    for (int64_t i = 0; i < cells; i++)
      store(element(a, i * cells + i), a->dtype, uniform(0.5, 2.0));
    return a;
  default: return hostile && one_in(9) ? vector(cells, POSITIVE) : NULL;
  }
}

/* What a projector's calls take. */
static int64_t cells, slices, rows;
static pcml_array *mean, *prior, *b, *posterior;

static object *projector_call(object **workspace, object **report, enum use use) {
  int flavour = use == OF_INVARIANTS ? 2 : use == OF_PARTS ? below(2) : use == OF_BOUNDS && one_in(2) ? 3 : 0;
  object *p = any(PROJECTOR);
  for (int k = 0; k < alive[PROJECTOR] && !one_in(6); k++)
    if (pool[PROJECTOR][k].flavour == flavour && (use < OF_BOUNDS || use == OF_INFERENCE || pool[PROJECTOR][k].prior <= 3))
      p = &pool[PROJECTOR][k];
  *workspace = workspace_of(p, use);
  if (report)
    *report = report_of(p);
  FRESH();
  cells = few(p ? p->cells : 5, 24);
  rows = few(p ? p->rows : 1, 40);
  int one = use == OF_INFERENCE || use == OF_PARTS || (use >= OF_BOUNDS && one_in(2));
  slices = one ? 1 : *workspace ? few((*workspace)->slices, 3) : 1;
  mean = one || (slices == 1 && one_in(2)) ? vector(cells, NICE) : matrix(slices, cells, NICE);
  prior = prior_data(p, cells);
  b = one ? vector(rows, one_in(3) ? UNIT : ZERO) : matrix(slices, rows, one_in(3) ? UNIT : ZERO);
  posterior = output(one_in(3) ? mean : mean->rank == 1 ? vector(cells, NICE) : matrix(slices, cells, NICE));
  return p;
}

static void project(void) {
  if (lacks(PROJECTOR))
    return;
  object *w, *r, *p = projector_call(&w, &r, OF_PROJECTOR);
  if (!w && !one_in(9))
    return;
  int64_t narrow_rows = slices * rows;
  switch (below(8)) {
  default: {
    pcml_array *variance = one_in(2) ? output(matrix(slices, cells, NICE)) : NULL;
    CALL_EACH(slices, projector_project, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), W(posterior), W(variance), REPORT_OF(r));
    break;
  }
  case 2: {
    fresh(hostility);
    pcml_array *m = plain(slices * cells, NICE), *v = p && p->prior == 1 ? NULL : plain(slices * cells, POSITIVE), *c = plain(narrow_rows, ZERO),
               *u = output(plain(slices * cells, NICE)), *w_of = one_in(2) ? output(plain(slices * cells, NICE)) : NULL;
    CALL_EACH(slices, projector_project_f64, SIZED_BY(p), WORKSPACE_OF(w), count(lone ? 1 : slices), P(m), P(v), P(c), P(u), P(w_of), REPORT_OF(r));
    break;
  }
  case 3: {
    fresh(hostility);
    int64_t all[1] = {slices * cells};
    pcml_array *m = array_of(1, all, NICE, PCML_DTYPE_F32, 1), *c = plain(narrow_rows, ZERO),
               *v = p && p->prior == 1 ? NULL : array_of(1, all, POSITIVE, PCML_DTYPE_F32, 1),
               *u = output(array_of(1, all, NICE, PCML_DTYPE_F32, 1)), *w_of = one_in(2) ? output(array_of(1, all, NICE, PCML_DTYPE_F32, 1)) : NULL;
    CALL_EACH(slices, projector_project_f32, SIZED_BY(p), WORKSPACE_OF(w), count(lone ? 1 : slices), P(m), P(v), P(c), P(u), P(w_of), REPORT_OF(r));
    break;
  }
  case 4: {
    pcml_array *residual = output(plain(slices * rows, NICE));
    CALL_EACH(slices, projector_residual, SIZED_BY(p), WORKSPACE_OF(w), R(mean), R(b), P(residual));
    break;
  }
  case 5: CALL_EACH(slices, projector_check, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(b), REPORT_OF(r)); break;
  case 6: {
    pcml_array *rates = one_in(2) ? cube(slices, rows, 2, NICE) : matrix(slices, rows, NICE);
    output(b);
    CALL_EACH(slices, projector_budget, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(rates), number(0.1), W(b));
    break;
  }
  case 7: {
    pcml_array *whole = output(matrix(cells, cells, NICE));
    CALL(projector_covariance, PROJECTOR_OF(p), WORKSPACE_OF(w), R(prior), W(whole));
  }
  }
}

static void bounded(void) {
  if (lacks(PROJECTOR))
    return;
  object *w, *r, *p = projector_call(&w, &r, OF_BOUNDS);
  if (!w && !one_in(9))
    return;
  pcml_array *lower = one_in(4) ? NULL : one_in(2) ? vector(cells, LOW) : matrix(slices, cells, LOW);
  pcml_array *upper = one_in(4) ? NULL : vector(cells, HIGH);
  int64_t wants = p && p->prior == 2 ? cells : p && p->prior == 3 ? 1 : 0;
  switch (below(5)) {
  default:
    CALL_EACH(slices, bounded_project, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), R(lower), R(upper), W(posterior), REPORT_OF(r));
    break;
  case 2: CALL_EACH(slices, bounded_check, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(b), R(lower), R(upper), REPORT_OF(r)); break;
  case 3: {
    pcml_array *dm = one_in(3) ? NULL : vector(cells, NICE), *dv = wants ? vector(wants, NICE) : NULL, *db = one_in(2) ? NULL : vector(rows, NICE);
    pcml_array *du = output(vector(cells, NICE));
    CALL(bounded_jvp, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), R(lower), R(upper), R(dm), R(dv), R(db), W(du));
    break;
  }
  case 4: {
    pcml_array *bar = vector(cells, NICE), *gm = output(vector(cells, NICE)), *gv = wants ? output(vector(wants, NICE)) : NULL,
               *gb = output(vector(rows, NICE));
    CALL(bounded_vjp, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), R(lower), R(upper), R(bar), W(gm), W(gv), W(gb));
  }
  }
}

static void invariants(void) {
  if (lacks(PROJECTOR))
    return;
  object *w, *r, *p = projector_call(&w, &r, OF_INVARIANTS);
  if (!w && !one_in(9))
    return;
  int64_t forms = few(p ? p->invariants : 1, 8);
  pcml_array *levels = matrix(slices, forms, POSITIVE), *c = p && p->rows == 0 ? NULL : b;
  int64_t wants = p && p->prior == 2 ? cells : p && p->prior == 3 ? 1 : 0;
  switch (below(5)) {
  default: CALL_EACH(slices, nonlinear_project, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(c), R(levels), W(posterior), REPORT_OF(r)); break;
  case 2: CALL_EACH(slices, nonlinear_check, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(c), R(levels), REPORT_OF(r)); break;
  case 3: {
    pcml_array *dm = one_in(3) ? NULL : vector(cells, NICE), *dv = wants ? vector(wants, NICE) : NULL,
               *db = one_in(2) ? NULL : vector((c ? rows : 0) + forms, NICE), *du = output(vector(cells, NICE));
    CALL(nonlinear_jvp, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(c), R(levels), R(dm), R(dv), R(db), W(du));
    break;
  }
  case 4: {
    pcml_array *bar = vector(cells, NICE), *gm = output(vector(cells, NICE)), *gv = wants ? output(vector(wants, NICE)) : NULL,
               *gb = output(vector((c ? rows : 0) + forms, NICE));
    CALL(nonlinear_vjp, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(c), R(levels), R(bar), W(gm), W(gv), W(gb));
  }
  }
}

static void inference(void) {
  if (lacks(PROJECTOR))
    return;
  object *w, *p = projector_call(&w, NULL, OF_INFERENCE);
  if (!w && !one_in(9))
    return;
  int64_t wants = p && p->prior == 2 ? cells : p && p->prior == 3 ? 1 : 0;
  switch (below(5)) {
  default: {
    pcml_array *samples = output(matrix(few(w ? w->slices : 1, 3), cells, NICE));
    int64_t seed_of = (int64_t)word(), first = size(below(9));
    CALL_EACH(samples->shape[0], inference_sample, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), seed_of, first + (lone ? lone - 1 : 0),
              W(samples));
    break;
  }
  case 1: {
    double *value = place();
    CALL(inference_log_likelihood, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), value);
    break;
  }
  case 2: {
    int64_t at[2] = {0, cells - 1};
    pcml_array *left = integers(2, at), *right = integers(2, at), *block = output(matrix(2, 2, NICE));
    CALL(inference_covariance, PROJECTOR_OF(p), WORKSPACE_OF(w), R(prior), P(left), count(2), P(right), count(2), W(block));
    break;
  }
  case 3: {
    pcml_array *dm = one_in(3) ? NULL : vector(cells, NICE), *dv = wants ? vector(wants, NICE) : NULL, *db = one_in(2) ? NULL : vector(rows, NICE);
    pcml_array *du = output(vector(cells, NICE));
    CALL(inference_jvp, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), R(dm), R(dv), R(db), W(du));
    break;
  }
  case 4: {
    pcml_array *bar = vector(cells, NICE), *gm = output(vector(cells, NICE)), *gv = wants ? output(vector(wants, NICE)) : NULL,
               *gb = output(vector(rows, NICE));
    CALL(inference_vjp, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), R(bar), W(gm), W(gv), W(gb));
  }
  }
}

/* Sums over parts as they should be, that fail, and that no parts have. */
static int32_t reduce(void *context, int64_t *values, int64_t n) {
  int *mode = context;
  switch (mode[0]) {
  case 1: return 7;
  case 2: return mode[1]-- <= 0 ? -1 : 0;
  case 3: values[below((int)n)] += (int64_t)(word() >> below(64)); return 0;
  case 4: memset(values, 0, (size_t)n * 8); return 0;
  case 5:
    for (int64_t k = 0; k < n; k++)
      values[k] = INT64_MAX;
    return 0;
  case 6:
    for (int64_t k = 0; k < n; k++)
      values[k] = (int64_t)((uint64_t)values[k] * 2);
    return 0;
  default: return 0;
  }
}

static int modes[64][2];

static void make_reduction(void) {
  FRESH();
  void *slot = handle();
  int *mode = modes[below(64)];
  mode[0] = of_bits || one_in(2) ? 0 : below(7);
  mode[1] = below(4);
  keep(REDUCTION, CALL(reduction_create, hostile && one_in(4) ? NULL : reduce, mode, slot), slot, (object){0});
}

static void sums(void) {
  FRESH();
  most = 4096;
  object *r = any(REDUCTION);
  int64_t shape[3] = {1 + below(4), 1 + below(4), 1 + below(4)};
  pcml_array *a = array(3, shape, NICE), *second = one_in(2) ? array(3, shape, NICE) : NULL;
  double *sum = place();
  switch (below(4)) {
  case 0: CALL(sum, R(a), R(second), one_in(2) ? NULL : REDUCTION_OF(r), sum); break;
  case 1: {
    pcml_array *bins = output(plain(PCML_SUM_BINS, ZERO));
    CALL(sum_bins, R(a), R(second), P(bins));
    break;
  }
  case 2: {
    int64_t values[PCML_SUM_BINS];
    for (int k = 0; k < PCML_SUM_BINS; k++)
      values[k] = (int64_t)word() >> (hostile ? below(64) : 24);
    pcml_array *bins = integers(PCML_SUM_BINS, values);
    CALL(sum_round, P(bins), sum);
    break;
  }
  default: {
    pcml_array *variance = array(3, shape, POSITIVE), *truth = array(3, shape, NICE);
    CALL(log_density, R(truth), R(a), R(variance), sum);
  }
  }
}

static void disturb(int64_t *message, int64_t n) {
  if (message && n > 0 && n < 4096 && hostile && one_in(3))
    message[below((int)n)] += (int64_t)(word() >> below(64));
}

static void parts(void) {
  if (lacks(PROJECTOR))
    return;
  object *w, *report, *p = projector_call(&w, &report, OF_PARTS), *r = any(REDUCTION);
  if (!w && !one_in(9))
    return;
  pcml_array *lower = one_in(3) && rows == 1 ? vector(cells, LOW) : NULL, *upper = lower && one_in(2) ? vector(cells, HIGH) : NULL;
  pcml_array *variance = one_in(3) && !lower ? output(vector(cells, NICE)) : NULL;
  if (one_in(2)) {
    CALL(part_project, PROJECTOR_OF(p), WORKSPACE_OF(w), REDUCTION_OF(r), R(mean), R(prior), R(b), R(lower), R(upper), W(posterior), W(variance),
         REPORT_OF(report));
    return;
  }
  /* The message belongs to the workspace, which stays. */
  int64_t **message = message_place(), *n = message_place(), length = 0, *values = NULL;
  if (!message || !n)
    hostile = 1;
  int32_t status = CALL(part_begin, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), R(lower), R(upper), W(posterior), W(variance),
                        REPORT_OF(report), message, n);
  for (int step = 0; step < 40; step++) {
    if (status == PCML_STATUS_OK && message && n) {
      memcpy(&values, message, sizeof values);
      memcpy(&length, n, sizeof length);
      disturb(values, length);
      if (length == 0)
        return;
    }
    if (hostile && one_in(6))
      return;
    if (hostile && one_in(9))
      spoil_one();
    status = CALL(part_continue, PROJECTOR_OF(p), WORKSPACE_OF(w), R(mean), R(prior), R(b), R(lower), R(upper), W(posterior), W(variance),
                  REPORT_OF(report), message, n);
    if (status != PCML_STATUS_OK && !one_in(3))
      return;
  }
}

static void load(void) {
  FRESH();
  int k = below(FILES);
  if (surrogates[k].family == FNO && one_in(2))
    k = below(FILES);
  object new = {.model = surrogates[k]};
  void *slot = handle();
  int32_t status;
  if (one_in(3)) {
    static const char *const odd[] = {"", "/nowhere", "/", "/dev/null", "\xff\xfe", "relative/../path"};
    const char *path = hostile ? one_in(9) ? NULL : ANY(odd) : files[k].path;
    status = CALL(model_load, path, slot);
  } else if (hostile && one_in(2)) {
    /* A block of its own size, so that a sanitizer sees what is read beyond. */
    int64_t length = one_in(2) ? below((int)files[k].size) + 1 : files[k].size;
    char *bytes = malloc((size_t)length);
    memcpy(bytes, files[k].bytes, (size_t)length);
    for (int n = below(4); n > 0; n--)
      bytes[below((int)(one_in(2) && length > 256 ? 256 : length))] = (char)word();
    status = CALL(model_load_bytes, bytes, length, slot);
    free(bytes);
  } else {
    static const int64_t none[] = {0, -1, INT64_MIN};
    status = CALL(model_load_bytes, hostile && one_in(9) ? NULL : files[k].bytes, hostile && one_in(4) ? ANY(none) : files[k].size, slot);
  }
  keep(MODEL, status, slot, new);
}

static void make_model(void) {
  object new = {0}, *o, *m = any(MODEL);
  if (one_in(2))
    make_options();
  FRESH();
  switch (below(4)) {
  case 0: {
    o = any(OPTIONS);
    new.model = (surrogate){"", GP, 1 + below(2), 1 + below(2), 0, 0, 0, {0}, 0, 0, 0, 0, 0};
    if (o && one_in(2)) {
      double length = 0.4;
      pcml_options_set_length_scales(o->object, 1, &length);
      pcml_options_set_noise_variance(o->object, 1e-4);
    }
    void *slot = handle();
    int64_t inputs = size(new.model.inputs), outputs = size(new.model.outputs);
    keep(MODEL, CALL(model_gaussian_process, choice(1 + below(4)), inputs, outputs, OPTIONS_OF(o), slot), slot, new);
    break;
  }
  case 1: {
    const pcml_model *members[3] = {NULL, NULL, NULL};
    int64_t n = 1 + below(3);
    object *first = m;
    for (int64_t k = 0; k < n; k++)
      members[k] = MODEL_OF(one_in(4) ? any(MODEL) : first);
    if (first)
      new.model = first->model;
    new.model.members = (int)n;
    void *slot = handle();
    keep(MODEL, CALL(model_ensemble, hostile && one_in(9) ? NULL : members, count(n), slot), slot, new);
    break;
  }
  case 2: {
    /* The greatest likelihood of few points: all that a fit costs grows with their cube. */
    most = 24;
    o = one_in(2) ? any(OPTIONS) : NULL;
    for (int k = 0; k < alive[MODEL]; k++)
      if (pool[MODEL][k].model.family == GP && !pool[MODEL][k].model.members)
        m = &pool[MODEL][k];
    int64_t functions = 1 + below(2), points = 2 + below(4), inputs = m ? m->model.inputs : 1, outputs = m ? m->model.outputs : 1;
    pcml_array *x = cube(functions, points, inputs ? inputs : 1, NICE), *y = cube(functions, points, outputs ? outputs : 1, NICE);
    pcml_array *noise = one_in(3) ? matrix(functions, points, UNIT) : NULL;
    void *slot = handle();
    pcml_fit_report *report = report_of_calls(sizeof *report);
    if (m)
      new.model = m->model;
    new.model.points = 0;
    keep(MODEL, CALL(model_fit, MODEL_OF(m), R(x), R(y), R(noise), OPTIONS_OF(o), slot, report), slot, new);
    break;
  }
  default: {
    int64_t capacity = 1 + below(9), *length = place();
    pcml_array *values = output(plain(capacity, ZERO));
    if (one_in(2))
      CALL(model_hyperparameters, MODEL_OF(m), hostile && one_in(4) ? -1 : capacity, P(values), length);
    else
      CALL(model_description, MODEL_OF(m), P(values), hostile && one_in(4) ? 0 : capacity * 8, length);
  }
  }
}

static void make_plan(void) {
  if (lacks(MODEL))
    return;
  object *m = any(MODEL), new = {.batch = 1 + below(3), .context = 1 + below(5), .targets = 1 + below(5), .steps = 1, .dtype = 1 + below(2)};
  if (m)
    new.model = m->model;
  new.covariance = !one_in(4) ? few(1 + below(3), new.targets) : 0;
  new.latents = one_in(2) ? below(3) : 0;
  new.steps = new.model.family == FNO && one_in(4) ? 2 : 1;
  static const int64_t extents[] = {8, 9, 11};
  for (int k = 0; k < 3; k++)
    new.grid[k] = new.model.rank == 3 ? 6 + below(3) : ANY(extents);
  if (new.model.rank == 3)
    new.batch = new.steps = 1;
  long id = m ? m->id : 0;
  FRESH();
  void *slot = handle();
  object *o = keep(OPTIONS, CALL(options_create, slot), slot, (object){0});
  if (o) {
    if (of_bits)
      pcml_options_set_threads(o->object, threads);
    ON(CALL(options_set_batch, OPTIONS_OF(o), size(new.batch)));
    switch (new.model.family) {
    case ANP:
      ON(CALL(options_set_context, OPTIONS_OF(o), size(new.context)));
      ON(CALL(options_set_targets, OPTIONS_OF(o), size(new.targets)));
      ON(CALL(options_set_latents, OPTIONS_OF(o), size(new.latents)));
      break;
    case GP:
      if (!new.model.points || one_in(2))
        ON(CALL(options_set_context, OPTIONS_OF(o), size(new.context)));
      ON(CALL(options_set_covariance, OPTIONS_OF(o), size(new.covariance)));
      ON(CALL(options_set_targets, OPTIONS_OF(o), size(new.targets)));
      break;
    case DEEPONET: ON(CALL(options_set_targets, OPTIONS_OF(o), size(new.targets))); break;
    case FNO: {
      FRESH();
      pcml_array *shape = integers(3, new.grid);
      CALL(options_set_shape, OPTIONS_OF(o), count(few(new.model.rank, 3)), P(shape));
      if (new.steps > 1)
        ON(CALL(options_set_steps, OPTIONS_OF(o), size(new.steps)));
      if (one_in(3))
        ON(CALL(options_set_transforms, OPTIONS_OF(o), choice(1 + below(3))));
      break;
    }
    default:
      if (one_in(3)) {
        ON(CALL(options_set_dropout, OPTIONS_OF(o), number(0.2)));
        ON(CALL(options_set_latents, OPTIONS_OF(o), size(2)));
        new.model.members = new.model.members ? new.model.members * 2 : 2;
      }
    }
    if (one_in(6))
      set_option();
  }
  o = alive[OPTIONS] ? &pool[OPTIONS][alive[OPTIONS] - 1] : NULL;
  m = NULL;
  for (int k = 0; k < alive[MODEL]; k++)
    m = pool[MODEL][k].id == id ? &pool[MODEL][k] : m;
  FRESH();
  void *to = handle();
  keep(PLANS, CALL(plan_create, MODEL_OF(m), choice(new.dtype), OPTIONS_OF(o), to), to, new);
}

/* The fields of a call on a grid: the whole, or without one axis. */
static pcml_array *field(const object *p, int64_t batch, int steps, int without, int channels, enum fill fill) {
  int64_t shape[PCML_MAX_RANK];
  int rank = 0;
  shape[rank++] = batch;
  if (steps && p->steps > 1)
    shape[rank++] = p->steps;
  for (int k = 0; k < p->model.rank; k++)
    if (k != without)
      shape[rank++] = p->grid[k];
  shape[rank++] = channels;
  return array(rank, shape, fill);
}

/* A plan of such families, mostly; sets of them. */
static object *plan_of(int families) {
  object *p = any(PLANS);
  for (int k = 0; k < alive[PLANS] && !one_in(8); k++)
    if (families >> pool[PLANS][k].model.family & 1)
      p = one_in(2) || !(families >> p->model.family & 1) ? &pool[PLANS][k] : p;
  return p;
}

/* A plan that another call has released is no owner any more. */
static object *by_id(enum kind kind, long id) {
  for (int k = 0; k < alive[kind]; k++)
    if (pool[kind][k].id == id)
      return &pool[kind][k];
  return NULL;
}

static pcml_array *values_of(const object *p, int64_t batch, int tangent) {
  pcml_array *first = NULL;
  for (int k = 0; k < p->model.faces; k++) {
    pcml_array *a = field(p, batch, 1, p->model.axes[k], 1, NICE);
    if (tangent < 0)
      output(a);
    first = first ? first : a;
  }
  return first;
}

static void predict(void) {
  if (lacks(PLANS))
    return;
  object *p = plan_of(1 << FNO | 1 << MLP), *w = workspace_of(p, OF_PLAN);
  int which = below(7);
  object *law = NULL, *algebra = NULL, *report = NULL;
  if (which == 6) {
    law = any(PROJECTOR);
    algebra = workspace_of(law, OF_PROJECTOR);
    report = report_of(law);
  }
  FRESH();
  if (!p)
    return;
  int64_t batch = few(p->batch, 3);
  batch = 1 + below((int)batch);
  const surrogate *s = &p->model;
  pcml_array *in = field(p, batch, 0, -1, few(s->inputs, 4), s->log ? POSITIVE : NICE), *values = s->family == FNO ? values_of(p, batch, 0) : NULL;
  int64_t faces = s->family == FNO ? s->faces : 0, members = s->members ? s->members : 2;
  pcml_array *out = output(field(p, batch, 1, -1, few(s->outputs, 4), NICE));
  switch (which) {
  default: CALL_EACH(batch, plan_predict, PLAN_OF(p), WORKSPACE_OF(w), R(in), R(values), count(faces), W(out)); break;
  case 2: {
    pcml_array *second = output(field(p, batch, 1, -1, 1, NICE)), *lone = NULL;
    if (s->inputs == 2) {
      in = field(p, batch, 0, -1, 1, POSITIVE);
      lone = field(p, batch, 0, -1, 1, POSITIVE);
    }
    (void)lone;
    if (s->outputs == 2) {
      second = output(field(p, batch, 1, -1, 1, NICE));
      second->dtype = PCML_DTYPE_F32;
      pcml_array *third = output(field(p, batch, 1, -1, 1, NICE));
      third->dtype = PCML_DTYPE_F32;
    }
    CALL_EACH(batch, plan_predict_fields, PLAN_OF(p), WORKSPACE_OF(w), R(in), count(s->inputs == 2 ? 2 : 1), R(values), count(faces),
         W_all(second, s->outputs == 2 ? 2 : 1), count(s->outputs == 2 ? 2 : 1));
    break;
  }
  case 3: {
    pcml_array *variance = output(field(p, batch, 1, -1, few(s->outputs, 4), NICE));
    CALL_EACH(batch, plan_predict_moments, PLAN_OF(p), WORKSPACE_OF(w), R(in), R(values), count(faces), W(out), W(variance));
    break;
  }
  case 4: {
    int64_t all = elements(out) / batch;
    if (batch * (members + 1) * all > 2000)
      return;
    pcml_array *factors = output(cube(batch, members + 1, all, NICE));
    CALL_EACH(batch, plan_predict_factors, PLAN_OF(p), WORKSPACE_OF(w), R(in), R(values), count(faces), W(out), W(factors));
    break;
  }
  case 5: {
    int64_t *n = place();
    if (one_in(2))
      CALL(plan_members, PLAN_OF(p), n);
    else
      CALL(plan_regularised, PLAN_OF(p), n);
    break;
  }
  case 6: {
    int64_t all = elements(out) / batch;
    pcml_array *v = law ? prior_data(law, few(law->cells, 24)) : vector(all, POSITIVE), *c = matrix(batch, few(law ? law->rows : 1, 40), UNIT);
    pcml_array *variance = one_in(2) ? output(field(p, batch, 1, -1, few(s->outputs, 4), NICE)) : NULL;
    CALL_EACH(batch, plan_predict_lawful, PLAN_OF(p), WORKSPACE_OF(w), R(in), R(values), count(faces), PROJECTOR_OF(law), WORKSPACE_OF(algebra), R(v), R(c), W(out),
         W(variance), REPORT_OF(report));
  }
  }
}

/* A law over the cells of a grid, so that lawful predictions come to their end. */
static void lawful(void) {
  object *p = plan_of(1 << FNO);
  if (!p || p->model.family != FNO)
    return;
  long id = p->id;
  int64_t all = p->steps * p->model.outputs;
  for (int k = 0; k < p->model.rank; k++)
    all *= p->grid[k];
  FRESH();
  void *slot = handle();
  object *c = keep(CONSTRAINTS, CALL(constraints_create, all, slot), slot, (object){.cells = all});
  if (!c || all > 200)
    return;
  FRESH();
  pcml_array *weights = vector(all, POSITIVE);
  if (CALL(constraints_add_row, CONSTRAINTS_OF(c), R(weights), 0.0) != PCML_STATUS_OK)
    return;
  c->rows = 1;
  FRESH();
  slot = handle();
  object *law = keep(PROJECTOR, CALL(projector_create, CONSTRAINTS_OF(c), 2, NULL, slot), slot, (object){.cells = all, .rows = 1, .prior = 2});
  object *algebra = workspace_of(law, OF_PROJECTOR), *w = workspace_of(by_id(PLANS, id), OF_PLAN), *report = report_of(law);
  p = by_id(PLANS, id);
  FRESH();
  int64_t batch = few(algebra ? few(algebra->slices, 3) : 1, p->batch);
  pcml_array *in = field(p, batch, 0, -1, p->model.inputs, NICE), *values = values_of(p, batch, 0), *out = output(field(p, batch, 1, -1, 1, NICE));
  pcml_array *v = vector(all, POSITIVE), *b_of = matrix(batch, 1, UNIT), *variance = one_in(2) ? output(field(p, batch, 1, -1, 1, NICE)) : NULL;
  CALL_EACH(batch, plan_predict_lawful, PLAN_OF(p), WORKSPACE_OF(w), R(in), R(values), count(p->model.faces), PROJECTOR_OF(law), WORKSPACE_OF(algebra), R(v), R(b_of),
       W(out), W(variance), REPORT_OF(report));
}

static void derivatives(void) {
  if (lacks(PLANS))
    return;
  object *p = plan_of(1 << FNO);
  long id = p ? p->id : 0;
  object *w = workspace_of(p, one_in(9) ? OF_PLAN : OF_DERIVATIVES);
  p = by_id(PLANS, id);
  FRESH();
  if (!p || p->model.rank == 3)
    return;
  int64_t batch = 1 + below((int)few(p->batch, 2)), faces = p->model.family == FNO ? p->model.faces : 0;
  pcml_array *in = field(p, batch, 0, -1, few(p->model.inputs, 4), NICE), *values = faces ? values_of(p, batch, 0) : NULL;
  if (one_in(2)) {
    pcml_array *din = one_in(3) ? NULL : field(p, batch, 0, -1, few(p->model.inputs, 4), NICE), *dv = faces && one_in(2) ? values_of(p, batch, 0) : NULL;
    pcml_array *out = output(field(p, batch, 1, -1, few(p->model.outputs, 4), NICE));
    CALL_EACH(batch, plan_jvp, PLAN_OF(p), WORKSPACE_OF(w), R(in), R(values), count(faces), R(din), R(dv), W(out));
  } else {
    pcml_array *bar = field(p, batch, 1, -1, few(p->model.outputs, 4), NICE), *gv = faces && one_in(2) ? values_of(p, batch, -1) : NULL;
    pcml_array *gin = one_in(4) ? NULL : output(field(p, batch, 0, -1, few(p->model.inputs, 4), NICE));
    CALL_EACH(batch, plan_vjp, PLAN_OF(p), WORKSPACE_OF(w), R(in), R(values), count(faces), R(bar), W(gin), W_all(gv, faces));
  }
}

/* Functions that were conditioned together, each conditioned and asked alone. */
static void process_each(void) {
  object *p = plan_of(1 << ANP | 1 << GP | 1 << DEEPONET);
  long id = p ? p->id : 0;
  object *w = workspace_of(p, OF_PLAN);
  p = by_id(PLANS, id);
  FRESH();
  if (!of_bits || !p || !w || p->batch < 2 || p->model.family == MLP || p->model.family == FNO)
    return;
  const surrogate *s = &p->model;
  int64_t f = p->batch, n = s->family == DEEPONET ? s->points : p->context, t = s->family == GP && p->covariance ? p->covariance : p->targets;
  pcml_array *x = s->family == DEEPONET ? NULL : cube(f, n, s->inputs, NICE);
  pcml_array *y = cube(f, n, s->family == DEEPONET ? s->channels : s->outputs, NICE), *noise = s->family == GP && one_in(2) ? matrix(f, n, UNIT) : NULL;
  pcml_array *at = cube(f, t, s->inputs, NICE), *eps = p->latents ? shared(matrix(p->latents, s->hidden, NICE)) : NULL;
  pcml_array *m = output(cube(f, t, s->outputs, NICE)), *v = s->family == DEEPONET ? NULL : output(cube(f, t, s->outputs, NICE));
  pcml_array *mu = s->family == ANP ? output(matrix(f, s->hidden, NICE)) : NULL, *deviation = mu ? output(matrix(f, s->hidden, NICE)) : NULL;
  pcml_array *c = s->family == GP && !s->members ? output(array(4, (int64_t[]){f, s->outputs, t, t}, NICE)) : NULL;
  pcml_array *factors = s->members ? output(array(4, (int64_t[]){f, s->members + 1, t, s->outputs}, NICE)) : NULL;
  int kind = s->members ? 1 + below(2) : s->family == ANP && one_in(3) ? 3 : c && one_in(2) ? 4 : 1;
#define CONDITION(call)                                                                          \
  (noise ? call(plan_condition_noisy, PLAN_OF(p), WORKSPACE_OF(w), R(x), R(y), R(noise)) : call(plan_condition, PLAN_OF(p), WORKSPACE_OF(w), R(x), R(y)))
#define ASK(call)                                                                                \
  (kind == 1   ? call(plan_query, PLAN_OF(p), WORKSPACE_OF(w), R(at), R(eps), W(m), W(v))        \
   : kind == 2 ? call(plan_query_factors, PLAN_OF(p), WORKSPACE_OF(w), R(at), R(eps), W(m), W(factors)) \
   : kind == 3 ? call(plan_latent, PLAN_OF(p), WORKSPACE_OF(w), W(mu), W(deviation))             \
               : call(plan_covariance, PLAN_OF(p), WORKSPACE_OF(w), R(at), W(m), W(c)))
#define UNJUDGED(name, ...) pcml_##name(__VA_ARGS__)
  if (CONDITION(CALL) != PCML_STATUS_OK)
    return;
  int conditioned = now;
  int32_t status = ASK(CALL);
  for (int64_t k = 0; begin_alone(status, k, f); k++) {
    int32_t again = CONDITION(UNJUDGED);
    end_alone(again ? again : ASK(UNJUDGED), k);
    alone[conditioned]++;
  }
}

static void process(void) {
  if (lacks(PLANS))
    return;
  object *p = plan_of(1 << ANP | 1 << GP | 1 << DEEPONET);
  long id = p ? p->id : 0;
  object *w = workspace_of(p, OF_PLAN);
  p = by_id(PLANS, id);
  FRESH();
  if (!p)
    return;
  const surrogate *s = &p->model;
  int64_t f = 1 + below((int)few(p->batch, 3)), n = s->family == DEEPONET ? few(s->points, 9) : 1 + below((int)few(p->context, 5)),
          t = 1 + below((int)few(p->targets, 5)), in = few(s->inputs, 4), out = few(s->outputs, 4), members = s->members ? s->members : 2;
  pcml_array *x = s->family == DEEPONET ? NULL : cube(f, n, in, NICE), *y = cube(f, n, s->family == DEEPONET ? few(s->channels, 4) : out, NICE);
  static const int ops[5][8] = {{0, 3, 4, 5, 6, 6, 6, 6}, {0, 0, 5, 5, 6, 6, 6, 6}, {0, 0, 0, 6, 6, 6, 6, 6}, {0, 3, 4, 5, 6, 6, 6, 6}, {0, 3, 3, 4, 4, 6, 6, 6}};
  switch (one_in(9) ? below(7) : ops[s->family][below(8)]) {
  case 0: case 1: case 2: CALL(plan_condition, PLAN_OF(p), WORKSPACE_OF(w), R(x), R(y)); break;
  case 3: {
    pcml_array *noise = one_in(2) ? vector(n, UNIT) : matrix(f, n, UNIT);
    CALL(plan_condition_noisy, PLAN_OF(p), WORKSPACE_OF(w), R(x), R(y), R(noise));
    break;
  }
  case 4: {
    double *jitter = place();
    CALL(plan_jitter, PLAN_OF(p), WORKSPACE_OF(w), jitter);
    break;
  }
  case 5: {
    pcml_array *mu = output(matrix(f, few(s->hidden, 4), NICE)), *log = output(matrix(f, few(s->hidden, 4), NICE));
    CALL(plan_latent, PLAN_OF(p), WORKSPACE_OF(w), W(mu), W(log));
    break;
  }
  default: {
    if (one_in(2)) {
      fresh(0);
      x = s->family == DEEPONET ? NULL : cube(f, n, in, NICE);
      y = cube(f, n, s->family == DEEPONET ? few(s->channels, 4) : out, NICE);
      CALL(plan_condition, PLAN_OF(p), WORKSPACE_OF(w), R(x), R(y));
    }
    FRESH();
    pcml_array *at = one_in(2) ? matrix(t, in, NICE) : cube(f, t, in, NICE);
    pcml_array *eps = p->latents && one_in(3) ? matrix(p->latents, few(s->hidden, 4), NICE) : NULL, *m = output(cube(f, t, out, NICE));
    switch (one_in(9) ? below(4) : s->members ? 2 * below(2) + 1 : s->family == GP ? 2 * below(2) : 0) {
    default: {
      pcml_array *v = s->family != DEEPONET && one_in(2) ? output(cube(f, t, out, NICE)) : NULL;
      CALL(plan_query, PLAN_OF(p), WORKSPACE_OF(w), R(at), R(eps), W(m), W(v));
      break;
    }
    case 2: {
      int64_t shape[4] = {f, out, few(t, few(p->covariance, 3)), few(t, few(p->covariance, 3))};
      at = matrix(shape[2], in, NICE);
      m = one_in(2) ? NULL : output(cube(f, shape[2], out, NICE));
      pcml_array *c = output(array(4, shape, NICE));
      CALL(plan_covariance, PLAN_OF(p), WORKSPACE_OF(w), R(at), W(m), W(c));
      break;
    }
    case 3: {
      int64_t shape[4] = {f, members + 1, t, out};
      pcml_array *c = output(array(4, shape, NICE));
      CALL(plan_query_factors, PLAN_OF(p), WORKSPACE_OF(w), R(at), R(eps), W(m), W(c));
    }
    }
  }
  }
}

static void operator_part(void) {
  object *o = any(PART), *m = NULL;
  if (!o || one_in(4)) {
    for (int k = 0; k < alive[MODEL]; k++)
      if (pool[MODEL][k].model.family == FNO && (!m || one_in(2)))
        m = &pool[MODEL][k];
    object new = {.batch = 1, .steps = 1, .dtype = 1 + below(2)};
    if (m)
      new.model = m->model;
    int64_t all = 1;
    for (int k = 0; k < 3; k++) {
      new.grid[k] = 8;
      all *= k < new.model.rank ? 8 : 1;
    }
    FRESH();
    void *slot = handle();
    object *options = keep(OPTIONS, CALL(options_create, slot), slot, (object){0});
    if (!options || new.model.rank < 1)
      return;
    if (of_bits)
      pcml_options_set_threads(options->object, threads);
    FRESH();
    pcml_array *shape = integers(3, new.grid);
    CALL(options_set_shape, OPTIONS_OF(options), new.model.rank, P(shape));
    FRESH();
    int64_t block = all / 2, blocks[2] = {0, 1};
    pcml_array *owned = integers(2, blocks);
    slot = handle();
    keep(PART, CALL(operator_part_create, MODEL_OF(m), choice(new.dtype), OPTIONS_OF(options), size(block), P(owned), count(2), slot), slot, new);
    return;
  }
  long id = o->id;
  object *w = workspace_of(o, OF_OPERATOR), *r = any(REDUCTION);
  o = by_id(PART, id);
  FRESH();
  if (!o || o->model.rank == 3)
    return;
  int64_t all = o->model.rank == 1 ? 8 : 64;
  pcml_array *in = matrix(all, 1, NICE), *values = values_of(o, 1, 0), *out = output(matrix(all, 1, NICE));
  if (one_in(2)) {
    CALL(operator_part_predict, PART_OF(o), WORKSPACE_OF(w), REDUCTION_OF(r), R(in), R(values), count(o->model.faces), W(out));
    return;
  }
  int64_t **message = message_place(), *n = message_place(), length = 1, *sums_of = NULL;
  int32_t dtype = out->dtype;
  int32_t status = CALL(operator_part_begin, PART_OF(o), WORKSPACE_OF(w), R(in), R(values), count(o->model.faces), choice(dtype), message, n);
  for (int step = 0; step < 40 && length > 0; step++) {
    if (status == PCML_STATUS_OK && message && n) {
      memcpy(&sums_of, message, sizeof sums_of);
      memcpy(&length, n, sizeof length);
      disturb(sums_of, length);
    }
    if (hostile && one_in(8))
      break;
    if (length > 0)
      status = CALL(operator_part_continue, PART_OF(o), WORKSPACE_OF(w), message, n);
    if (status != PCML_STATUS_OK && !one_in(3))
      break;
  }
  CALL(operator_part_finish, PART_OF(o), WORKSPACE_OF(w), W(out));
}

/* A channel of cells in a row, closed or open at its ends. */
static void mesh(void) {
  object *o = any(MESH);
  if (!o || one_in(5)) {
    object new = {.cells = 2 + below(6)}, *options = one_in(3) ? any(OPTIONS) : NULL;
    FRESH();
    most = 4096;
    int64_t owner[9], neighbour[9], n = 0;
    for (int64_t k = 0; k + 1 < new.cells; k++, n++)
      owner[n] = k, neighbour[n] = k + 1;
    if (one_in(2))
      owner[n] = 0, neighbour[n++] = -1;
    new.faces = n;
    pcml_array *left = integers(n, owner), *right = integers(n, neighbour), *volumes = vector(new.cells, POSITIVE);
    void *slot = handle();
    keep(MESH, CALL(flux_create, count(n), P(left), P(right), R(volumes), OPTIONS_OF(options), slot), slot, new);
    return;
  }
  object *w = workspace_of(o, OF_MESH);
  FRESH();
  int64_t n = o->cells, m = o->faces;
  pcml_array *f = vector(m, NICE), *v = one_in(2) ? vector(m, POSITIVE) : NULL, *s = one_in(3) ? vector(n, NICE) : NULL, *u = vector(n, UNIT);
  pcml_array *to_faces = output(one_in(3) ? f : vector(m, NICE)), *to_cells = output(one_in(3) ? u : vector(n, NICE));
  switch (below(7)) {
  default: {
    pcml_flux_report *report = report_of_calls(sizeof *report);
    CALL(flux_correct, MESH_OF(o), WORKSPACE_OF(w), R(f), R(v), R(s), W(to_faces), report);
    break;
  }
  case 2: CALL(flux_residual, MESH_OF(o), WORKSPACE_OF(w), R(f), R(s), W(to_cells)); break;
  case 3: {
    pcml_array *df = one_in(3) ? NULL : vector(m, NICE), *dv = one_in(2) ? NULL : vector(m, NICE);
    CALL(flux_jvp, MESH_OF(o), WORKSPACE_OF(w), R(f), R(v), R(s), R(df), R(dv), NULL, W(to_faces));
    break;
  }
  case 4: {
    pcml_array *bar = vector(m, NICE), *gf = output(vector(m, NICE)), *gv = one_in(2) ? NULL : output(vector(m, NICE)), *gs = output(vector(n, NICE));
    CALL(flux_vjp, MESH_OF(o), WORKSPACE_OF(w), R(f), R(v), R(s), R(bar), W(gf), W(gv), W(gs));
    break;
  }
  case 5: CALL(flux_update, MESH_OF(o), WORKSPACE_OF(w), number(0.01), R(u), R(f), R(s), W(to_cells)); break;
  case 6: {
    pcml_array *lower = one_in(3) ? NULL : vector(n, LOW), *upper = one_in(3) ? NULL : vector(n, HIGH), *low = one_in(2) ? NULL : vector(m, ZERO);
    pcml_flux_limits *limits = report_of_calls(sizeof *limits);
    CALL(flux_update_bounded, MESH_OF(o), WORKSPACE_OF(w), number(0.01), R(u), R(f), R(s), R(lower), R(upper), R(low), W(to_cells),
         W(one_in(2) ? to_faces : NULL), limits);
  }
  }
}

static void small(void) {
  FRESH();
  object *r = any(REPORT);
  switch (below(6)) {
  case 0: {
    int32_t *numbers[3];
    for (int k = 0; k < 3; k++)
      if ((numbers[k] = place()) != NULL)
        memset((char *)numbers[k] + 4, 0, 4);
    CALL(version, numbers[0], numbers[1], numbers[2]);
    break;
  }
  case 1: {
    now = F_version_string;
    ready();
    if (strlen(pcml_version_string()) < 5)
      found("no version");
    counts[now][0]++;
    calls_made++;
    break;
  }
  case 2: {
    now = F_status_name;
    ready();
    if (!pcml_status_name(choice(below(40))))
      found("no name");
    counts[now][0]++;
    calls_made++;
    break;
  }
  case 3: {
    pcml_array *text = output(plain(8, ZERO));
    int64_t *length = place();
    /* Reads its own text: nothing is judged by it. */
    CALL(error_message, one_in(4) ? NULL : P(text), hostile && one_in(3) ? odd_integers[below(4)] : 1 + below(64), one_in(3) ? NULL : length);
    break;
  }
  case 4: {
    int64_t *n = place();
    CALL(report_slices, REPORT_OF(r), n);
    break;
  }
  default: {
    double *value = place();
    CALL(report_value, REPORT_OF(r), choice(1 + below(15)), size(0), size(0), value);
  }
  }
}

static void free_one(void) {
  FRESH();
  enum kind kind = (enum kind)below(KINDS);
  if (alive[kind] > 0)
    release(kind, below(alive[kind]));
}

static void (*const steps[])(void) = {
    make_options, set_option, make_boundary, add_face, enforce, make_constraints, add_rows, add_rows, add_rows, make_projector, project, project,
    project, bounded, bounded, invariants, invariants, inference, inference, make_reduction, sums, parts, parts, load, load, make_model, make_plan,
    make_plan, predict, predict, predict, lawful, derivatives, derivatives, process, process, process, process_each, operator_part, operator_part, operator_part,
    mesh, mesh, mesh, small, free_one};

/* A prediction and a projection that are good: their bits. */
static pcml_plan *good_plan;
static pcml_workspace *good_scratch, *good_algebra;
static pcml_projector *good_law;
enum { GOOD = 50 };
static double good_in[GOOD * 9], good_out[GOOD], good_lawful[GOOD], good_b[1] = {0.25}, good_variance[GOOD];

static int good_call(void) {
  pcml_const_array in = {sizeof in, good_in, PCML_DTYPE_F64, 2, {GOOD, 9}, {9, 1}};
  pcml_array out = {sizeof out, good_out, PCML_DTYPE_F64, 2, {GOOD, 1}, {1, 1}};
  return pcml_plan_predict(good_plan, good_scratch, &in, NULL, 0, &out) == PCML_STATUS_OK &&
         pcml_projector_project_f64(good_law, good_algebra, 1, good_out, good_variance, good_b, good_lawful, NULL, NULL) == PCML_STATUS_OK;
}

static int good_objects(const char *tree) {
  char path[512];
  snprintf(path, sizeof path, "%s/examples/models/porous.safetensors", tree);
  double points[GOOD];
  for (int k = 0; k < GOOD; k++) {
    points[k] = k / 49.0;
    good_variance[k] = 0.5 + points[k];
  }
  for (int k = 0; k < GOOD * 9; k++)
    good_in[k] = 0.3 + 0.2 * sin(0.37 * k);
  pcml_model *model;
  pcml_options *options;
  pcml_constraints *rows_of;
  pcml_const_array x = {sizeof x, points, PCML_DTYPE_F64, 1, {GOOD}, {1}};
  int bad = pcml_model_load(path, &model) | pcml_options_create(&options) | pcml_options_set_batch(options, GOOD) |
            pcml_plan_create(model, PCML_DTYPE_F64, options, &good_plan) | pcml_plan_workspace(good_plan, &good_scratch) |
            pcml_constraints_create(GOOD, &rows_of) | pcml_constraints_add_quadrature(rows_of, PCML_RULE_TRAPEZOID, &x, 0.0) |
            pcml_projector_create(rows_of, PCML_PRIOR_DIAGONAL, NULL, &good_law) | pcml_projector_workspace(good_law, 1, &good_algebra);
  pcml_model_free(model);
  pcml_options_free(options);
  pcml_constraints_free(rows_of);
  return !bad && good_call();
}

static void read_files(const char *tree) {
  for (int k = 0; k < FILES; k++) {
    snprintf(files[k].path, sizeof files[k].path, "%s/fuzz/corpus/model_file/seed-%s.safetensors", tree, surrogates[k].file);
    FILE *f = fopen(files[k].path, "rb");
    if (!f || fseek(f, 0, SEEK_END) != 0) {
      fprintf(stderr, "cannot read %s\n", files[k].path);
      exit(2);
    }
    files[k].size = ftell(f);
    files[k].bytes = malloc((size_t)files[k].size);
    rewind(f);
    if (fread(files[k].bytes, 1, (size_t)files[k].size, f) != (size_t)files[k].size)
      exit(2);
    fclose(f);
  }
}

static void one_sequence(long number_of, long length) {
  sequence = number_of;
  state = seed * 0x9E3779B97F4A7C15u ^ (uint64_t)number_of * 0xD1B54A32D192ED03u;
  layout_state = state ^ layout_seed;
  last_id = 0;
  memset(modes, 0, sizeof modes);
  static const int levels[] = {0, 30, 50, 50, 80};
  long first = calls_made;
  alarm(120);
  hostility = 0;
  static void (*const some[])(void) = {make_constraints, add_rows, make_projector, make_projector, load, load, make_plan, make_boundary, add_face, make_reduction,
                                       mesh, make_constraints, add_rows, add_rows, make_projector, make_projector, load, make_plan, make_model, make_plan,
                                       operator_part};
  for (size_t k = 0; k < sizeof some / sizeof *some; k++)
    some[k]();
  hostility = of_bits ? 0 : ANY(levels);
  while (calls_made - first < length)
    steps[below((int)(sizeof steps / sizeof *steps))]();
  hostility = 0;
  for (int kind = 0; kind < KINDS; kind++)
    while (alive[kind] > 0) {
      FRESH();
      release((enum kind)kind, 0);
    }
}

int main(int argc, char **argv) {
  long calls = 20000, only = -1;
  int flush = 0;
  for (int k = 2; k < argc; k++) {
    if (strcmp(argv[k], "--trace") == 0)
      tracing = 1;
    else if (strcmp(argv[k], "--flush") == 0)
      flush = 1;
    else if (strcmp(argv[k], "--bits") == 0)
      of_bits = 1;
    else if (k + 1 < argc && strcmp(argv[k], "--layout") == 0)
      layout_seed = strtoull(argv[++k], NULL, 10) * 0xD6E8FEB86659FD93u;
    else if (k + 1 < argc && strcmp(argv[k], "--threads") == 0)
      threads = atol(argv[++k]);
    else if (k + 1 < argc && strcmp(argv[k], "--seed") == 0)
      seed = strtoull(argv[++k], NULL, 10);
    else if (k + 1 < argc && strcmp(argv[k], "--calls") == 0)
      calls = atol(argv[++k]);
    else if (k + 1 < argc && strcmp(argv[k], "--sequence") == 0)
      only = atol(argv[++k]);
    else
      argc = 0;
  }
  if (argc < 2) {
    fprintf(stderr, "usage: campaign <source tree> [--seed n] [--calls n] [--sequence n] [--trace] [--flush] [--bits] [--layout n] [--threads n]\n");
    return 2;
  }
  static char out[1 << 16];
  setvbuf(stdout, out, _IOFBF, sizeof out);
  static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM};
  for (size_t k = 0; k < sizeof signals / sizeof *signals; k++)
    signal(signals[k], died);
  arena_create();
  read_files(argv[1]);
  if (!good_objects(argv[1])) {
    fprintf(stderr, "the good call fails\n");
    return 2;
  }
#if !defined WITHOUT_HEAP
  /* What no machine has is refused at once, and what this one has not for others. */
  struct rlimit room = {(rlim_t)4 << 30, (rlim_t)4 << 30};
  setrlimit(RLIMIT_AS, &room);
#endif
  double expected[2 * GOOD];
  memcpy(expected, good_out, sizeof good_out);
  memcpy(expected + GOOD, good_lawful, sizeof good_lawful);
  /* The texts and the tables that a thread, or the program, has once. */
  one_sequence(-1, 400);
  memset(counts, 0, sizeof counts);
  memset(bits, 0, sizeof bits);
  memset(alone, 0, sizeof alone);
  calls_made = 0;
  memset(unlisted, 0, sizeof unlisted);
  long blocks = atomic_load(&heap_blocks);
  for (long k = only < 0 ? 0 : only; calls_made < calls && findings < 20; k++) {
#ifdef __x86_64__
    if (flush)
      _mm_setcsr(_mm_getcsr() | 0x8040);
#endif
    one_sequence(k, 400);
#ifdef __x86_64__
    _mm_setcsr(_mm_getcsr() & ~0x8040u);
#endif
    if (!good_call() || memcmp(expected, good_out, sizeof good_out) != 0 || memcmp(expected + GOOD, good_lawful, sizeof good_lawful) != 0)
      found("the good call gives other bits after this sequence");
    long more = atomic_load(&heap_blocks) - blocks;
    /* Threads of plans give back what they have when they have ended. */
    if (more != 0 && threads == 1) {
      char what[80];
      snprintf(what, sizeof what, "%ld blocks are left after this sequence", more);
      found(what);
      blocks += more;
    }
    if (only >= 0)
      break;
  }

  if (of_bits) {
    for (int f = 0; f < COUNT; f++)
      printf("bits pcml_%s %ld %ld %016llx\n", names[f], counts[f][0], alone[f], (unsigned long long)bits[f]);
    printf("%ld calls, %ld findings\n", calls_made, findings);
    return findings > 0;
  }
  long by_status[STATUSES] = {0};
  printf("%-32s %9s %9s %7s %9s\n", "function", "calls", "good", "errno", "slowest, s");
  for (int f = 0; f < COUNT; f++) {
    long all = 0;
    for (int s = 0; s < STATUSES; s++) {
      all += counts[f][s];
      by_status[s] += counts[f][s];
    }
    printf("pcml_%-27s %9ld %9ld %7ld %9.4f\n", names[f], all, counts[f][0], errnos[f], slowest[f]);
  }
  for (int s = 0; s < STATUSES; s++)
    printf("%-32s %9ld\n", pcml_status_name(s), by_status[s]);
  printf("%ld calls, %ld findings\n", calls_made, findings);
  pcml_workspace_free(good_scratch);
  pcml_workspace_free(good_algebra);
  pcml_plan_free(good_plan);
  pcml_projector_free(good_law);
  for (int k = 0; k < FILES; k++)
    free(files[k].bytes);
  return findings > 0;
}
