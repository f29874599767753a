/* pcml for C++17: move-only objects, views of the host's own arrays, errors as exceptions or as values.

   The manual is pcml.h: shapes, units, errors, threads and allocation are those of the C function that each function here calls, and
   its name says which: pcml_plan_predict(plan, ..) is plan.predict(..), pcml_bounded_project(projector, ..) is
   projector.bounded_project(..), pcml_sum(..) is pcml::sum(..). Create functions are constructors; those of workspaces and reports are
   make_workspace, make_bounded_workspace, make_report and so on.

   Errors   A failed call throws pcml::error. With a pcml::status as its last argument it stores the status there and throws nothing.
   Objects  As cheap as a std::unique_ptr. One that was moved from is empty, and calls on it fail with status::null_argument.
   Threads  A const member function may run on many threads at once, each with workspaces, reports and reductions of its own.
   Arrays   Nothing is copied: pcml::array_view describes memory that stays the caller's. nullptr or {} where an array is not given. */

#ifndef PCML_HPP
#define PCML_HPP

#if __cplusplus < 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#error "pcml.hpp needs C++17: compile with -std=c++17 or newer"
#endif

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "pcml.h"

namespace pcml {

enum class status : int32_t {
  ok = PCML_STATUS_OK,
  null_argument = PCML_STATUS_NULL_ARGUMENT,
  invalid_argument = PCML_STATUS_INVALID_ARGUMENT,
  shape = PCML_STATUS_SHAPE,
  stride = PCML_STATUS_STRIDE,
  dtype = PCML_STATUS_DTYPE,
  non_finite = PCML_STATUS_NON_FINITE,
  not_sorted = PCML_STATUS_NOT_SORTED,
  variance = PCML_STATUS_VARIANCE,
  noise = PCML_STATUS_NOISE,
  singular = PCML_STATUS_SINGULAR,
  not_converged = PCML_STATUS_NOT_CONVERGED,
  io = PCML_STATUS_IO,
  file_format = PCML_STATUS_FILE_FORMAT,
  file_version = PCML_STATUS_FILE_VERSION,
  file_description = PCML_STATUS_FILE_DESCRIPTION,
  weights = PCML_STATUS_WEIGHTS,
  self_test = PCML_STATUS_SELF_TEST,
  too_large = PCML_STATUS_TOO_LARGE,
  out_of_memory = PCML_STATUS_OUT_OF_MEMORY,
  mismatch = PCML_STATUS_MISMATCH,
  handle = PCML_STATUS_HANDLE,
  state = PCML_STATUS_STATE,
  panic = PCML_STATUS_PANIC,
  reduction = PCML_STATUS_REDUCTION,
  infeasible = PCML_STATUS_INFEASIBLE,
  contradiction = PCML_STATUS_CONTRADICTION,
};

enum class dtype : int32_t { f32 = PCML_DTYPE_F32, f64 = PCML_DTYPE_F64 };

enum class rule : int32_t {
  trapezoid = PCML_RULE_TRAPEZOID,
  left = PCML_RULE_LEFT,
  right = PCML_RULE_RIGHT,
  simpson = PCML_RULE_SIMPSON,
};

enum class prior : int32_t {
  identity = PCML_PRIOR_IDENTITY,
  diagonal = PCML_PRIOR_DIAGONAL,
  scalar = PCML_PRIOR_SCALAR,
  covariance_band = PCML_PRIOR_COVARIANCE_BAND,
  precision_band = PCML_PRIOR_PRECISION_BAND,
  low_rank = PCML_PRIOR_LOW_RANK,
  ensemble = PCML_PRIOR_ENSEMBLE,
  dense = PCML_PRIOR_DENSE,
  smoothed = PCML_PRIOR_SMOOTHED,
};

enum class report_item : int32_t {
  residual_before = PCML_REPORT_ITEM_RESIDUAL_BEFORE,
  residual_after = PCML_REPORT_ITEM_RESIDUAL_AFTER,
  tolerance = PCML_REPORT_ITEM_TOLERANCE,
  multiplier = PCML_REPORT_ITEM_MULTIPLIER,
  correction_norm = PCML_REPORT_ITEM_CORRECTION_NORM,
  largest_correction = PCML_REPORT_ITEM_LARGEST_CORRECTION,
  largest_correction_cell = PCML_REPORT_ITEM_LARGEST_CORRECTION_CELL,
  repairs = PCML_REPORT_ITEM_REPAIRS,
  unchanged = PCML_REPORT_ITEM_UNCHANGED,
  dropped = PCML_REPORT_ITEM_DROPPED,
  iterations = PCML_REPORT_ITEM_ITERATIONS,
  active_lower = PCML_REPORT_ITEM_ACTIVE_LOWER,
  active_upper = PCML_REPORT_ITEM_ACTIVE_UPPER,
  relaxed = PCML_REPORT_ITEM_RELAXED,
  relaxation = PCML_REPORT_ITEM_RELAXATION,
};

enum class flux_method : int32_t {
  none = PCML_FLUX_METHOD_NONE,
  elimination = PCML_FLUX_METHOD_ELIMINATION,
  conjugate_gradients = PCML_FLUX_METHOD_CONJUGATE_GRADIENTS,
};

enum class bounds_method : int32_t { nearest = PCML_BOUNDS_METHOD_NEAREST, spread = PCML_BOUNDS_METHOD_SPREAD };

enum class bounds_policy : int32_t {
  refuse = PCML_BOUNDS_POLICY_REFUSE,
  relax_least = PCML_BOUNDS_POLICY_RELAX_LEAST,
  relax_to_extremes = PCML_BOUNDS_POLICY_RELAX_TO_EXTREMES,
};

enum class direction : int32_t { increasing = PCML_DIRECTION_INCREASING, decreasing = PCML_DIRECTION_DECREASING };

enum class boundary_kind : int32_t {
  dirichlet = PCML_BOUNDARY_KIND_DIRICHLET,
  neumann = PCML_BOUNDARY_KIND_NEUMANN,
  periodic = PCML_BOUNDARY_KIND_PERIODIC,
};

enum class kernel : int32_t {
  rbf = PCML_KERNEL_RBF,
  matern12 = PCML_KERNEL_MATERN12,
  matern32 = PCML_KERNEL_MATERN32,
  matern52 = PCML_KERNEL_MATERN52,
};

/** What a fit moves: join with |. */
enum class fitted : int32_t {
  nothing = 0,
  signal_variance = PCML_FITTED_SIGNAL_VARIANCE,
  length_scales = PCML_FITTED_LENGTH_SCALES,
  noise_variance = PCML_FITTED_NOISE_VARIANCE,
  means = PCML_FITTED_MEANS,
};
constexpr fitted operator|(fitted a, fitted b) noexcept {
  return static_cast<fitted>(static_cast<int32_t>(a) | static_cast<int32_t>(b));
}

enum class transforms : int32_t { automatic = PCML_TRANSFORMS_AUTO, matrix = PCML_TRANSFORMS_MATRIX, fft = PCML_TRANSFORMS_FFT };

/** "PCML_STATUS_SHAPE" and the like; static. */
inline const char *status_name(status code) noexcept { return pcml_status_name(static_cast<int32_t>(code)); }

/** The text of this thread's last failed call of the library. */
inline std::string error_message() {
  int64_t length = 0;
  pcml_error_message(nullptr, 1, &length);
  std::string text(static_cast<std::size_t>(length) + 1, '\0');
  pcml_error_message(text.data(), length + 1, nullptr);
  text.pop_back();
  return text;
}

/** A failed call: what() is name and message. */
class error : public std::runtime_error {
 public:
  error(status code, const std::string &message) : std::runtime_error(status_name(code) + (": " + message)), code_(code) {}
  status code() const noexcept { return code_; }
  const char *name() const noexcept { return status_name(code_); }
  /** One line that names the function, the culprit and the expected value. */
  const char *message() const noexcept { return what() + std::char_traits<char>::length(name()) + 2; }

 private:
  status code_;
};

/** What a call does with its status: throws an error, or, given a status of the caller's, stores it there, success too. Without
    exceptions in the compiler, a failed call that was given no status ends the program. */
class on_error {
 public:
  on_error() = default;
  on_error(status &to) noexcept : to_(&to) {}

  bool throws() const noexcept { return to_ == nullptr; }
  /** Takes what a function of the library returned. */
  void settle(int32_t code) const {
    if (to_)
      *to_ = static_cast<status>(code);
    else if (code != PCML_STATUS_OK)
      raise(static_cast<status>(code), error_message());
  }
  /** For what is refused before the library is called: error_message() does not have the text. */
  void refuse(status code, const char *message) const {
    if (to_)
      *to_ = code;
    else
      raise(code, message);
  }

 private:
  [[noreturn]] static void raise(status code, const std::string &message) {
#ifdef __cpp_exceptions
    throw error(code, message);
#else
    static_cast<void>(code), static_cast<void>(message);
    std::abort();
#endif
  }
  status *to_ = nullptr;
};

namespace detail {

template <class C> using data_of = decltype(std::data(std::declval<C &>()));

/** Whether C is contiguous: a C array, or has data() and size(). */
template <class C, class = void> struct is_contiguous : std::false_type {};
template <class C>
struct is_contiguous<C, std::void_t<data_of<C>, decltype(std::size(std::declval<C &>()))>> : std::is_pointer<data_of<C>> {};

/** The axes inside of an element: double[3] and std::array<double, 3> have one. */
template <class E> struct axes {
  using scalar = E;
  static constexpr int32_t rank = 0;
  static void extents(int64_t *) noexcept {}
};
template <class E, std::size_t N> struct axes<E[N]> {
  using scalar = typename axes<E>::scalar;
  static constexpr int32_t rank = 1 + axes<E>::rank;
  static void extents(int64_t *to) noexcept {
    *to = static_cast<int64_t>(N);
    axes<E>::extents(to + 1);
  }
};
template <class E, std::size_t N> struct axes<std::array<E, N>> : axes<E[N]> {
  static_assert(sizeof(std::array<E, N>) == N * sizeof(E), "an array without gaps");
};

/** Views as std::mdspan and Kokkos::View: rank(), extent(i), stride(i), data_handle() or data(). */
template <class A> auto handle_of(A &a, int) -> decltype(a.data_handle()) { return a.data_handle(); }
template <class A> auto handle_of(A &a, long) -> decltype(a.data()) { return a.data(); }
template <class A, class = void> struct is_span : std::false_type {};
template <class A>
struct is_span<A, std::void_t<decltype(A::rank()), decltype(std::declval<A &>().extent(0)), decltype(std::declval<A &>().stride(0)),
                              decltype(handle_of(std::declval<A &>(), 0))>> : std::true_type {};

/** Matrices as Eigen's: rows(), cols(), rowStride(), colStride(), data(). */
template <class A, class = void> struct is_matrix : std::false_type {};
template <class A>
struct is_matrix<A, std::void_t<decltype(std::declval<A &>().rows()), decltype(std::declval<A &>().cols()),
                                decltype(std::declval<A &>().rowStride()), decltype(std::declval<A &>().colStride()),
                                decltype(std::declval<A &>().data())>> : std::true_type {};
template <class A, class = void> struct is_vector : std::false_type {};
template <class A>
struct is_vector<A, std::enable_if_t<static_cast<bool>(A::IsVectorAtCompileTime)>> : std::true_type {};

/** The scalar type that A's memory has, const where A may not be written; void for what is no array. */
template <class A, class = void> struct scalar {
  using type = void;
};
template <class A> struct scalar<A, std::enable_if_t<is_span<A>::value>> {
  using type = std::remove_pointer_t<decltype(handle_of(std::declval<A &>(), 0))>;
};
template <class A> struct scalar<A, std::enable_if_t<!is_span<A>::value && is_matrix<A>::value>> {
  using type = std::remove_pointer_t<decltype(std::declval<A &>().data())>;
};
template <class A> struct scalar<A, std::enable_if_t<!is_span<A>::value && !is_matrix<A>::value && is_contiguous<A>::value>> {
  using element = std::remove_pointer_t<data_of<A>>;
  using inner = typename axes<std::remove_cv_t<element>>::scalar;
  using type = std::conditional_t<std::is_const_v<element>, const inner, inner>;
};
template <class A> using scalar_of = typename scalar<std::remove_reference_t<A>>::type;

/** Whether memory of scalars U may be seen as T, where void is float or double. */
template <class U, class T>
inline constexpr bool serves = (std::is_same_v<std::remove_const_t<U>, double> || std::is_same_v<std::remove_const_t<U>, float>) &&
                               std::is_convertible_v<U *, T *>;

template <class> struct is_view : std::false_type {};

}  // namespace detail

/** Extents or strides of an array: integers, or a container of them. */
class extents {
 public:
  template <class... N, class = std::enable_if_t<(sizeof...(N) > 0) && (std::is_integral_v<N> && ...)>>
  constexpr extents(N... n) noexcept : values_{static_cast<int64_t>(n)...}, rank_(static_cast<int32_t>(sizeof...(N))) {
    static_assert(sizeof...(N) <= PCML_MAX_RANK, "more axes than PCML_MAX_RANK");
  }
  template <class C, class = std::enable_if_t<detail::is_contiguous<const C>::value>,
            class = decltype(std::begin(std::declval<const C &>()))>
  extents(const C &container) noexcept : rank_(static_cast<int32_t>(std::size(container))) {
    int32_t i = 0;
    for (const auto n : container)
      if (i < PCML_MAX_RANK)
        values_[i++] = static_cast<int64_t>(n);
  }
  constexpr const int64_t *data() const noexcept { return values_; }
  constexpr int32_t rank() const noexcept { return rank_; }

 private:
  int64_t values_[PCML_MAX_RANK] = {};
  int32_t rank_;
};

/** A contiguous list that a call reads: of a container, a C array, a braced list, or a pointer and a count. */
template <class T> class list {
 public:
  constexpr list(std::nullptr_t = nullptr) noexcept {}
  constexpr list(const T *data, int64_t size) noexcept : data_(data), size_(size) {}
  // Lives to the end of the call's full expression.
  constexpr list(std::initializer_list<T> values) noexcept : list(std::data(values), static_cast<int64_t>(values.size())) {}
  template <class C, class = std::enable_if_t<detail::is_contiguous<const C>::value>,
            class = std::enable_if_t<std::is_convertible_v<detail::data_of<const C>, const T *>>>
  constexpr list(const C &container) noexcept : list(std::data(container), static_cast<int64_t>(std::size(container))) {}

  constexpr const T *data() const noexcept { return data_; }
  constexpr int64_t size() const noexcept { return size_; }
  constexpr bool empty() const noexcept { return size_ == 0; }

 private:
  const T *data_ = nullptr;
  int64_t size_ = 0;
};

/** A strided array in memory that stays the caller's: T is double or float, const where it is only read. array_view<void> and
    array_view<const void> are of either type, and are what calls take; every array that the constructors know converts to them:
    std::vector, std::array, std::span, C arrays, each also of fixed arrays (std::vector<std::array<double, 3>> is [n, 3]), what looks
    like std::mdspan or Kokkos::View, and Eigen's matrices, blocks, maps and vectors. Strides are in elements. Its own layout is that of
    pcml_array or pcml_const_array. */
template <class T> class array_view {
 public:
  using descriptor = std::conditional_t<std::is_const_v<T>, pcml_const_array, pcml_array>;

  /** No array. */
  constexpr array_view(std::nullptr_t = nullptr) noexcept {}

  /** In C order without gaps. */
  template <class U, class = std::enable_if_t<detail::serves<U, T>>> array_view(U *data, const extents &shape) noexcept {
    begin(data, shape.rank());
    for (int32_t i = 0; i < shape.rank() && i < PCML_MAX_RANK; i++)
      descriptor_.shape[i] = shape.data()[i];
    without_gaps();
  }

  /** As many strides as extents; else calls refuse the view as of rank 0. */
  template <class U, class = std::enable_if_t<detail::serves<U, T>>>
  array_view(U *data, const extents &shape, const extents &strides) noexcept {
    begin(data, shape.rank() == strides.rank() ? shape.rank() : 0);
    for (int32_t i = 0; i < shape.rank() && i < PCML_MAX_RANK; i++) {
      descriptor_.shape[i] = shape.data()[i];
      descriptor_.strides[i] = strides.data()[i];
    }
  }

  template <class U, class = std::enable_if_t<!std::is_same_v<U, T> && std::is_convertible_v<U *, T *>>>
  array_view(const array_view<U> &other) noexcept {
    const auto &from = *reinterpret_cast<const typename array_view<U>::descriptor *>(&other);
    descriptor_.struct_size = from.struct_size;
    descriptor_.data = from.data;
    descriptor_.dtype = from.dtype;
    descriptor_.rank = from.rank;
    for (int32_t i = 0; i < from.rank && i < PCML_MAX_RANK; i++) {
      descriptor_.shape[i] = from.shape[i];
      descriptor_.strides[i] = from.strides[i];
    }
  }

  template <class A, class = std::enable_if_t<!detail::is_view<std::remove_cv_t<std::remove_reference_t<A>>>::value>,
            class = std::enable_if_t<detail::serves<detail::scalar_of<A>, T>>>
  array_view(A &&array) noexcept {
    using B = std::remove_reference_t<A>;
    if constexpr (detail::is_span<B>::value) {
      begin(detail::handle_of(array, 0), static_cast<int32_t>(B::rank()));
      for (int32_t i = 0; i < descriptor_.rank && i < PCML_MAX_RANK; i++)
        axis(i, array.extent(static_cast<std::size_t>(i)), array.stride(static_cast<std::size_t>(i)));
    } else if constexpr (detail::is_matrix<B>::value && detail::is_vector<B>::value) {
      begin(array.data(), 1);
      axis(0, array.rows() * array.cols(), array.cols() == 1 ? array.rowStride() : array.colStride());
    } else if constexpr (detail::is_matrix<B>::value) {
      begin(array.data(), 2);
      axis(0, array.rows(), array.rowStride());
      axis(1, array.cols(), array.colStride());
    } else {
      using inner = detail::axes<std::remove_cv_t<std::remove_pointer_t<detail::data_of<B>>>>;
      static_assert(inner::rank < PCML_MAX_RANK, "more axes than PCML_MAX_RANK");
      begin(std::data(array), 1 + inner::rank);
      descriptor_.dtype = dtype_of<typename inner::scalar>;
      descriptor_.shape[0] = static_cast<int64_t>(std::size(array));
      inner::extents(descriptor_.shape + 1);
      without_gaps();
    }
  }

  T *data() const noexcept { return static_cast<T *>(descriptor_.data); }
  int32_t rank() const noexcept { return descriptor_.rank; }
  int64_t extent(int32_t axis) const noexcept { return descriptor_.shape[axis]; }
  int64_t stride(int32_t axis) const noexcept { return descriptor_.strides[axis]; }
  /** Number of elements. */
  int64_t count() const noexcept {
    uint64_t n = 1;
    for (int32_t i = 0; i < descriptor_.rank && i < PCML_MAX_RANK; i++)
      n *= static_cast<uint64_t>(descriptor_.shape[i]);
    return static_cast<int64_t>(n);
  }
  /** For functions of pcml.h; NULL where there is no array. */
  const descriptor *get() const noexcept { return descriptor_.struct_size != 0 ? &descriptor_ : nullptr; }

 private:
  template <class U>
  static constexpr int32_t dtype_of = std::is_same_v<std::remove_const_t<U>, float> ? PCML_DTYPE_F32 : PCML_DTYPE_F64;

  template <class U> void begin(U *data, int32_t rank) noexcept {
    descriptor_.struct_size = sizeof(descriptor);
    descriptor_.data = data;
    descriptor_.dtype = dtype_of<U>;
    descriptor_.rank = rank;
  }
  template <class N, class S> void axis(int32_t i, N extent, S stride) noexcept {
    descriptor_.shape[i] = static_cast<int64_t>(extent);
    descriptor_.strides[i] = static_cast<int64_t>(stride);
  }
  void without_gaps() noexcept {
    uint64_t step = 1;
    for (int32_t i = descriptor_.rank < PCML_MAX_RANK ? descriptor_.rank : PCML_MAX_RANK; i-- > 0;) {
      descriptor_.strides[i] = static_cast<int64_t>(step);
      step *= static_cast<uint64_t>(descriptor_.shape[i]);
    }
  }

  descriptor descriptor_ = {};
};

template <class U> array_view(U *, const extents &) -> array_view<U>;
template <class U> array_view(U *, const extents &, const extents &) -> array_view<U>;
template <class A> array_view(A &&) -> array_view<detail::scalar_of<A>>;

namespace detail {
template <class T> struct is_view<array_view<T>> : std::true_type {};
}

/** What calls write, and what they read. */
using array = array_view<void>;
using const_array = array_view<const void>;
static_assert(std::is_standard_layout_v<array> && sizeof(array) == sizeof(pcml_array));
static_assert(std::is_standard_layout_v<const_array> && sizeof(const_array) == sizeof(pcml_const_array));

namespace detail {

inline const pcml_const_array *raw(const list<const_array> &arrays) noexcept {
  return reinterpret_cast<const pcml_const_array *>(arrays.data());
}
inline const pcml_array *raw(const list<array> &arrays) noexcept { return reinterpret_cast<const pcml_array *>(arrays.data()); }

/** An object of the library, owned. */
template <class T, void (*Free)(T *)> class handle {
 public:
  /** Empty. */
  handle() = default;
  /** Takes over an object of pcml.h. */
  explicit handle(T *object) noexcept : object_(object) {}

  T *get() noexcept { return object_.get(); }
  const T *get() const noexcept { return object_.get(); }
  T *release() noexcept { return object_.release(); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 protected:
  /** What create functions write to. */
  template <class Create> void create(on_error to, Create &&function) {
    T *object = nullptr;
    const int32_t code = function(&object);
    object_.reset(object);
    to.settle(code);
  }

 private:
  struct deleter {
    void operator()(T *object) const noexcept { Free(object); }
  };
  std::unique_ptr<T, deleter> object_;
};

/** Whether an object that need not be given is absent or whole; an empty one is refused rather than taken for absent. */
template <class H> bool usable(const H *object, on_error to) {
  const bool whole = object == nullptr || static_cast<bool>(*object);
  if (!whole)
    to.refuse(status::null_argument, "an object that need not be given was given, and is empty");
  return whole;
}
template <class H> auto raw(H *object) noexcept { return object ? object->get() : nullptr; }

inline bool expect(bool holds, const char *message, on_error to) {
  if (!holds)
    to.refuse(status::shape, message);
  return holds;
}

}  // namespace detail

/** Scratch memory of a plan, projector, flux balance or part: one a thread, for the object that made it. */
class workspace : public detail::handle<pcml_workspace, pcml_workspace_free> {
 public:
  using handle::handle;
};

namespace detail {
template <class Create> workspace make_workspace(on_error to, Create &&function) {
  pcml_workspace *object = nullptr;
  const int32_t code = function(&object);
  workspace made(object);
  to.settle(code);
  return made;
}
}  // namespace detail

/** What a projection did, by slice and row. */
class report : public detail::handle<pcml_report, pcml_report_free> {
 public:
  using handle::handle;
  int64_t slices(on_error to = {}) const {
    int64_t number = 0;
    to.settle(pcml_report_slices(get(), &number));
    return number;
  }
  double value(report_item item, int64_t slice = 0, int64_t row = 0, on_error to = {}) const {
    double number = 0.0;
    to.settle(pcml_report_value(get(), static_cast<int32_t>(item), slice, row, &number));
    return number;
  }
};

/** The host's sum over all parts, from any callable that takes (int64_t *values, int64_t count), sums in place, and returns nothing, or
    0 where it succeeded. An exception that it throws does not enter the library: the call fails on this part, and the exception goes on
    from there, or, where the call has a status to fill, is dropped. */
class reduction : public detail::handle<pcml_reduction, pcml_reduction_free> {
 public:
  using handle::handle;
  reduction() = default;
  template <class F, class = std::enable_if_t<std::is_invocable_v<F &, int64_t *, int64_t>>> explicit reduction(F sum, on_error to = {}) {
    auto function = std::make_unique<callable<F>>(std::move(sum));
    create(to, [&](pcml_reduction **made) { return pcml_reduction_create(call<F>, function.get(), made); });
    function_ = std::move(function);
  }
  reduction(reduction &&) = default;
  reduction &operator=(reduction &&) = default;
  ~reduction() = default;

  /** Takes what a call returned that may have used this reduction. */
  void settle(int32_t code, on_error to) {
    std::exception_ptr thrown = function_ ? std::exchange(function_->thrown, nullptr) : nullptr;
#ifdef __cpp_exceptions
    if (code != PCML_STATUS_OK && thrown && to.throws())
      std::rethrow_exception(thrown);
#endif
    to.settle(code);
  }

 private:
  struct context {
    virtual ~context() = default;
    std::exception_ptr thrown;
  };
  template <class F> struct callable : context {
    explicit callable(F f) : function(std::move(f)) {}
    F function;
  };
  template <class F> static int32_t invoke(F &function, int64_t *values, int64_t count) {
    if constexpr (std::is_void_v<std::invoke_result_t<F &, int64_t *, int64_t>>) {
      function(values, count);
      return 0;
    } else {
      using result = std::invoke_result_t<F &, int64_t *, int64_t>;
      static_assert(std::is_integral_v<result> && !std::is_same_v<result, bool>, "0 is success, another number a failure");
      return function(values, count) == 0 ? 0 : 1;
    }
  }
  template <class F> static int32_t call(void *context, int64_t *values, int64_t count) noexcept {
    auto &self = *static_cast<callable<F> *>(context);
#ifdef __cpp_exceptions
    try {
      return invoke(self.function, values, count);
    } catch (...) {
      self.thrown = std::current_exception();
      return 1;
    }
#else
    return invoke(self.function, values, count);
#endif
  }
  std::unique_ptr<context> function_;
};

namespace detail {
inline void settle(int32_t code, reduction *with, on_error to) {
  if (with)
    with->settle(code, to);
  else
    to.settle(code);
}
}  // namespace detail

/** Integers that the host replaces by their sums over all parts. They belong to the workspace, until the next call with it. */
class message {
 public:
  message() = default;
  message(int64_t *values, int64_t count) noexcept : values_(values), count_(count) {}
  int64_t *data() const noexcept { return values_; }
  int64_t size() const noexcept { return count_; }
  /** Whether all is said. */
  bool empty() const noexcept { return count_ == 0; }
  int64_t *begin() const noexcept { return values_; }
  int64_t *end() const noexcept { return values_ + count_; }

 private:
  int64_t *values_ = nullptr;
  int64_t count_ = 0;
};

struct flux_report : pcml_flux_report {
  flux_report() noexcept : pcml_flux_report{} { struct_size = sizeof(pcml_flux_report); }
};
struct flux_limits : pcml_flux_limits {
  flux_limits() noexcept : pcml_flux_limits{} { struct_size = sizeof(pcml_flux_limits); }
};
struct fit_report : pcml_fit_report {
  fit_report() noexcept : pcml_fit_report{} { struct_size = sizeof(pcml_fit_report); }
};

/** Boundary conditions of a field on a grid. */
class boundary : public detail::handle<pcml_boundary, pcml_boundary_free> {
 public:
  using handle::handle;
  explicit boundary(on_error to = {}) { create(to, pcml_boundary_create); }

  void add_face(int64_t axis, int32_t side, boundary_kind kind, list<double> stencil = {}, double spacing = 0.0, on_error to = {}) {
    to.settle(pcml_boundary_add_face(get(), axis, side, static_cast<int32_t>(kind), stencil.data(), stencil.size(), spacing));
  }
  void enforce(const array &field, int64_t rank, list<const_array> values, on_error to = {}) const {
    to.settle(pcml_boundary_enforce(get(), field.get(), rank, detail::raw(values), values.size()));
  }
};

/** Settings for what is created, all unset; setters may be chained. */
class options : public detail::handle<pcml_options, pcml_options_free> {
 public:
  using handle::handle;
  explicit options(on_error to = {}) { create(to, pcml_options_create); }

  options &set_batch(int64_t batch, on_error to = {}) { return set(to, pcml_options_set_batch(get(), batch)); }
  options &set_context(int64_t context, on_error to = {}) { return set(to, pcml_options_set_context(get(), context)); }
  options &set_targets(int64_t targets, on_error to = {}) { return set(to, pcml_options_set_targets(get(), targets)); }
  options &set_covariance(int64_t targets, on_error to = {}) { return set(to, pcml_options_set_covariance(get(), targets)); }
  options &set_latents(int64_t latents, on_error to = {}) { return set(to, pcml_options_set_latents(get(), latents)); }
  options &set_seed(int64_t seed, on_error to = {}) { return set(to, pcml_options_set_seed(get(), seed)); }
  options &set_dropout(double rate, on_error to = {}) { return set(to, pcml_options_set_dropout(get(), rate)); }
  options &set_shape(const extents &shape, on_error to = {}) {
    return set(to, pcml_options_set_shape(get(), shape.rank(), shape.data()));
  }
  options &set_steps(int64_t steps, on_error to = {}) { return set(to, pcml_options_set_steps(get(), steps)); }
  options &set_threads(int64_t threads, on_error to = {}) { return set(to, pcml_options_set_threads(get(), threads)); }
  options &set_transforms(transforms how, on_error to = {}) {
    return set(to, pcml_options_set_transforms(get(), static_cast<int32_t>(how)));
  }
  /** nullptr: unset again. */
  options &set_boundary(const boundary *conditions, on_error to = {}) {
    if (!detail::usable(conditions, to))
      return *this;
    return set(to, pcml_options_set_boundary(get(), detail::raw(conditions)));
  }
  options &set_held_cells(bool admit, on_error to = {}) { return set(to, pcml_options_set_held_cells(get(), admit ? 1 : 0)); }
  options &set_prior_size(int64_t size, on_error to = {}) { return set(to, pcml_options_set_prior_size(get(), size)); }
  options &set_smoothing(double smoothing, on_error to = {}) { return set(to, pcml_options_set_smoothing(get(), smoothing)); }
  options &set_held_faces(bool admit, on_error to = {}) { return set(to, pcml_options_set_held_faces(get(), admit ? 1 : 0)); }
  options &set_direct_cells(int64_t cells, on_error to = {}) { return set(to, pcml_options_set_direct_cells(get(), cells)); }
  options &set_length_scales(list<double> scales, on_error to = {}) {
    return set(to, pcml_options_set_length_scales(get(), scales.size(), scales.data()));
  }
  options &set_signal_variance(double variance, on_error to = {}) {
    return set(to, pcml_options_set_signal_variance(get(), variance));
  }
  options &set_noise_variance(double variance, on_error to = {}) {
    return set(to, pcml_options_set_noise_variance(get(), variance));
  }
  options &set_means(list<double> means, on_error to = {}) {
    return set(to, pcml_options_set_means(get(), means.size(), means.data()));
  }
  options &set_fitted(fitted what, on_error to = {}) { return set(to, pcml_options_set_fitted(get(), static_cast<int32_t>(what))); }
  options &set_fit_range(double factor, on_error to = {}) { return set(to, pcml_options_set_fit_range(get(), factor)); }
  options &set_restarts(int64_t restarts, on_error to = {}) { return set(to, pcml_options_set_restarts(get(), restarts)); }

 private:
  options &set(on_error to, int32_t code) {
    to.settle(code);
    return *this;
  }
};

/** A trained surrogate; may be freed before the plans that are made of it. */
class model : public detail::handle<pcml_model, pcml_model_free> {
 public:
  using handle::handle;

  static model load(const std::string &path, on_error to = {}) {
    return make(to, [&](pcml_model **made) { return pcml_model_load(path.c_str(), made); });
  }
  static model load_bytes(const void *bytes, int64_t size, on_error to = {}) {
    return make(to, [&](pcml_model **made) { return pcml_model_load_bytes(bytes, size, made); });
  }
  static model gaussian_process(kernel covariance, int64_t inputs, int64_t outputs, const options &settings, on_error to = {}) {
    return make(to, [&](pcml_model **made) {
      return pcml_model_gaussian_process(static_cast<int32_t>(covariance), inputs, outputs, settings.get(), made);
    });
  }
  /** Members are shared, and may be freed before it. */
  static model ensemble(list<const model *> members, on_error to = {}) {
    std::vector<const pcml_model *> objects;
    for (int64_t i = 0; i < members.size(); i++)
      objects.push_back(detail::raw(members.data()[i]));
    return make(to, [&](pcml_model **made) { return pcml_model_ensemble(objects.data(), members.size(), made); });
  }
  model fit(const const_array &context_x, const const_array &context_y, const const_array &noise = {}, const options *settings = nullptr,
            fit_report *filled = nullptr, on_error to = {}) const {
    if (!detail::usable(settings, to))
      return {};
    return make(to, [&](pcml_model **made) {
      return pcml_model_fit(get(), context_x.get(), context_y.get(), noise.get(), detail::raw(settings), made, filled);
    });
  }
  /** Signal variance, noise variance, length scales, means. */
  std::vector<double> hyperparameters(on_error to = {}) const {
    int64_t count = 0;
    int32_t code = pcml_model_hyperparameters(get(), 0, nullptr, &count);
    std::vector<double> values(static_cast<std::size_t>(count));
    if (code == PCML_STATUS_OK)
      code = pcml_model_hyperparameters(get(), count, values.data(), nullptr);
    to.settle(code);
    return values;
  }
  /** JSON. */
  std::string description(on_error to = {}) const {
    int64_t length = 0;
    int32_t code = pcml_model_description(get(), nullptr, 1, &length);
    std::string text(static_cast<std::size_t>(length) + 1, '\0');
    if (code == PCML_STATUS_OK)
      code = pcml_model_description(get(), text.data(), length + 1, nullptr);
    text.pop_back();
    to.settle(code);
    return text;
  }

 private:
  template <class Create> static model make(on_error to, Create &&function) {
    model made;
    made.create(to, function);
    return made;
  }
};

/** Linear rows, invariants, bounds and sets that a projector makes a state obey; may be freed before it. */
class constraints : public detail::handle<pcml_constraints, pcml_constraints_free> {
 public:
  using handle::handle;
  constraints() = default;
  explicit constraints(int64_t cells, on_error to = {}) {
    create(to, [&](pcml_constraints **made) { return pcml_constraints_create(cells, made); });
  }

  void add_quadrature(rule weights, const const_array &points, double noise_variance = 0.0, on_error to = {}) {
    to.settle(pcml_constraints_add_quadrature(get(), static_cast<int32_t>(weights), points.get(), noise_variance));
  }
  void add_row(const const_array &weights, double noise_variance = 0.0, on_error to = {}) {
    to.settle(pcml_constraints_add_row(get(), weights.get(), noise_variance));
  }
  void add_absent_row(double noise_variance = 0.0, on_error to = {}) {
    to.settle(pcml_constraints_add_absent_row(get(), noise_variance));
  }
  int64_t rows(on_error to = {}) const {
    int64_t number = 0;
    to.settle(pcml_constraints_rows(get(), &number));
    return number;
  }
  void add_grid_quadrature(rule weights, list<const_array> axes, int64_t first = 0, double noise_variance = 0.0, on_error to = {}) {
    to.settle(pcml_constraints_add_grid_quadrature(get(), static_cast<int32_t>(weights), detail::raw(axes), axes.size(), first,
                                                   noise_variance));
  }
  /** starts has one more entry than there are rows; noise variances: one a row, or none. */
  void add_sparse_rows(list<int64_t> starts, list<int64_t> cells, list<double> weights, list<double> noise_variances = {},
                       on_error to = {}) {
    const int64_t rows = starts.size() - 1;
    const bool fits = rows >= 0 && cells.size() == weights.size() && starts.data()[rows] == cells.size() &&
                      (noise_variances.empty() || noise_variances.size() == rows);
    if (detail::expect(fits, "add_sparse_rows: starts, cells, weights and noise variances do not fit each other", to))
      to.settle(pcml_constraints_add_sparse_rows(get(), rows, starts.data(), cells.data(), weights.data(), noise_variances.data()));
  }
  /** sides: one an axis. */
  void add_boundary(list<const_array> axes, int64_t first, list<int32_t> sides, int64_t axis, double value, double slope, int32_t order,
                    double noise_variance = 0.0, on_error to = {}) {
    if (detail::expect(sides.size() == axes.size(), "add_boundary: not one side an axis", to))
      to.settle(pcml_constraints_add_boundary(get(), detail::raw(axes), axes.size(), first, sides.data(), axis, value, slope, order,
                                              noise_variance));
  }
  void add_periodic(const extents &shape, int64_t first, int64_t axis, double noise_variance = 0.0, on_error to = {}) {
    to.settle(pcml_constraints_add_periodic(get(), shape.data(), shape.rank(), first, axis, noise_variance));
  }
  /** cells: [rows, width]; coefficients: likewise, or `width` of them for all rows. */
  void add_stencils(int64_t width, list<int64_t> cells, list<double> coefficients, double noise_variance = 0.0, on_error to = {}) {
    const bool shared = coefficients.size() == width;
    const bool fits = width > 0 && cells.size() % width == 0 && (shared || coefficients.size() == cells.size());
    if (detail::expect(fits, "add_stencils: cells and coefficients do not fit the width", to))
      to.settle(pcml_constraints_add_stencils(get(), cells.size() / width, width, cells.data(), coefficients.data(), shared ? 1 : 0,
                                              noise_variance));
  }
  void add_quadratic(list<int64_t> cells_i, list<int64_t> cells_j, list<double> weights, on_error to = {}) {
    const bool fits = cells_i.size() == weights.size() && cells_j.size() == weights.size();
    if (detail::expect(fits, "add_quadratic: lists of different lengths", to))
      to.settle(pcml_constraints_add_quadratic(get(), weights.size(), cells_i.data(), cells_j.data(), weights.data()));
  }
  void add_energy(const const_array &weights, on_error to = {}) { to.settle(pcml_constraints_add_energy(get(), weights.get())); }
  void set_bounds(bounds_method method, bounds_policy policy, on_error to = {}) {
    to.settle(pcml_constraints_set_bounds(get(), static_cast<int32_t>(method), static_cast<int32_t>(policy)));
  }
  void add_simplex(int64_t first, int64_t components, int64_t points, double total, on_error to = {}) {
    to.settle(pcml_constraints_add_simplex(get(), first, components, points, total));
  }
  void add_monotone(int64_t first, int64_t count, direction way, on_error to = {}) {
    to.settle(pcml_constraints_add_monotone(get(), first, count, static_cast<int32_t>(way)));
  }
};

/** Constraints joined with a prior; its bounded_, nonlinear_, inference_ and part_ functions take workspaces of their own kind. */
class projector : public detail::handle<pcml_projector, pcml_projector_free> {
 public:
  using handle::handle;
  projector() = default;
  projector(const constraints &rows, prior metric, on_error to = {}) : projector(rows, metric, nullptr, to) {}
  projector(const constraints &rows, prior metric, const options &settings, on_error to = {}) : projector(rows, metric, &settings, to) {}

  workspace make_workspace(int64_t slices, on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_projector_workspace(get(), slices, made); });
  }
  workspace make_bounded_workspace(int64_t slices, on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_bounded_workspace(get(), slices, made); });
  }
  workspace make_nonlinear_workspace(int64_t slices, on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_nonlinear_workspace(get(), slices, made); });
  }
  workspace make_inference_workspace(int64_t max_samples, on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_inference_workspace(get(), max_samples, made); });
  }
  workspace make_part_workspace(on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_part_workspace(get(), made); });
  }
  report make_report(int64_t slices, on_error to = {}) const {
    pcml_report *object = nullptr;
    const int32_t code = pcml_projector_report(get(), slices, &object);
    report made(object);
    to.settle(code);
    return made;
  }

  void project(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b, const array &posterior_mean,
               const array &posterior_variance = {}, report *filled = nullptr, on_error to = {}) const {
    if (detail::usable(filled, to))
      to.settle(pcml_projector_project(get(), scratch.get(), mean.get(), variance.get(), b.get(), posterior_mean.get(),
                                       posterior_variance.get(), detail::raw(filled)));
  }
  /** Arrays in C order without gaps: [slices, cells], b [slices, rows]. */
  void project(workspace &scratch, int64_t slices, const double *mean, const double *variance, const double *b, double *posterior_mean,
               double *posterior_variance = nullptr, report *filled = nullptr, on_error to = {}) const {
    if (detail::usable(filled, to))
      to.settle(pcml_projector_project_f64(get(), scratch.get(), slices, mean, variance, b, posterior_mean, posterior_variance,
                                           detail::raw(filled)));
  }
  void project(workspace &scratch, int64_t slices, const float *mean, const float *variance, const double *b, float *posterior_mean,
               float *posterior_variance = nullptr, report *filled = nullptr, on_error to = {}) const {
    if (detail::usable(filled, to))
      to.settle(pcml_projector_project_f32(get(), scratch.get(), slices, mean, variance, b, posterior_mean, posterior_variance,
                                           detail::raw(filled)));
  }
  /** residual: as many values as b, in C order without gaps. */
  void residual(workspace &scratch, const const_array &mean, const const_array &b, const array_view<double> &residual,
                on_error to = {}) const {
    bool fits = residual.count() == b.count();
    for (int64_t i = residual.rank(), step = 1; i-- > 0 && fits; step *= residual.extent(static_cast<int32_t>(i)))
      fits = residual.extent(static_cast<int32_t>(i)) == 1 || residual.stride(static_cast<int32_t>(i)) == step;
    if (detail::expect(fits, "residual: not as many values as b without gaps", to))
      to.settle(pcml_projector_residual(get(), scratch.get(), mean.get(), b.get(), residual.data()));
  }
  void check(workspace &scratch, const const_array &mean, const const_array &b, report &filled, on_error to = {}) const {
    to.settle(pcml_projector_check(get(), scratch.get(), mean.get(), b.get(), filled.get()));
  }
  void budget(workspace &scratch, const const_array &previous, const const_array &rates, double dt, const array &b,
              on_error to = {}) const {
    to.settle(pcml_projector_budget(get(), scratch.get(), previous.get(), rates.get(), dt, b.get()));
  }
  void covariance(workspace &scratch, const const_array &variance, const array &covariance, on_error to = {}) const {
    to.settle(pcml_projector_covariance(get(), scratch.get(), variance.get(), covariance.get()));
  }

  void bounded_project(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                       const const_array &lower, const const_array &upper, const array &posterior_mean, report *filled = nullptr,
                       on_error to = {}) const {
    if (detail::usable(filled, to))
      to.settle(pcml_bounded_project(get(), scratch.get(), mean.get(), variance.get(), b.get(), lower.get(), upper.get(),
                                     posterior_mean.get(), detail::raw(filled)));
  }
  void bounded_check(workspace &scratch, const const_array &mean, const const_array &b, const const_array &lower,
                     const const_array &upper, report &filled, on_error to = {}) const {
    to.settle(pcml_bounded_check(get(), scratch.get(), mean.get(), b.get(), lower.get(), upper.get(), filled.get()));
  }
  void bounded_jvp(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                   const const_array &lower, const const_array &upper, const const_array &tangent_mean,
                   const const_array &tangent_variance, const const_array &tangent_b, const array &tangent, on_error to = {}) const {
    to.settle(pcml_bounded_jvp(get(), scratch.get(), mean.get(), variance.get(), b.get(), lower.get(), upper.get(), tangent_mean.get(),
                               tangent_variance.get(), tangent_b.get(), tangent.get()));
  }
  void bounded_vjp(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                   const const_array &lower, const const_array &upper, const const_array &cotangent, const array &gradient_mean,
                   const array &gradient_variance = {}, const array &gradient_b = {}, on_error to = {}) const {
    to.settle(pcml_bounded_vjp(get(), scratch.get(), mean.get(), variance.get(), b.get(), lower.get(), upper.get(), cotangent.get(),
                               gradient_mean.get(), gradient_variance.get(), gradient_b.get()));
  }

  void nonlinear_project(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                         const const_array &levels, const array &posterior_mean, report *filled = nullptr, on_error to = {}) const {
    if (detail::usable(filled, to))
      to.settle(pcml_nonlinear_project(get(), scratch.get(), mean.get(), variance.get(), b.get(), levels.get(), posterior_mean.get(),
                                       detail::raw(filled)));
  }
  void nonlinear_check(workspace &scratch, const const_array &mean, const const_array &b, const const_array &levels, report &filled,
                       on_error to = {}) const {
    to.settle(pcml_nonlinear_check(get(), scratch.get(), mean.get(), b.get(), levels.get(), filled.get()));
  }
  void nonlinear_jvp(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                     const const_array &levels, const const_array &tangent_mean, const const_array &tangent_variance,
                     const const_array &tangent_b, const array &tangent, on_error to = {}) const {
    to.settle(pcml_nonlinear_jvp(get(), scratch.get(), mean.get(), variance.get(), b.get(), levels.get(), tangent_mean.get(),
                                 tangent_variance.get(), tangent_b.get(), tangent.get()));
  }
  void nonlinear_vjp(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                     const const_array &levels, const const_array &cotangent, const array &gradient_mean,
                     const array &gradient_variance = {}, const array &gradient_b = {}, on_error to = {}) const {
    to.settle(pcml_nonlinear_vjp(get(), scratch.get(), mean.get(), variance.get(), b.get(), levels.get(), cotangent.get(),
                                 gradient_mean.get(), gradient_variance.get(), gradient_b.get()));
  }

  void inference_sample(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b, int64_t seed,
                        int64_t first, const array &samples, on_error to = {}) const {
    to.settle(pcml_inference_sample(get(), scratch.get(), mean.get(), variance.get(), b.get(), seed, first, samples.get()));
  }
  double inference_log_likelihood(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                                  on_error to = {}) const {
    double value = 0.0;
    to.settle(pcml_inference_log_likelihood(get(), scratch.get(), mean.get(), variance.get(), b.get(), &value));
    return value;
  }
  void inference_covariance(workspace &scratch, const const_array &variance, list<int64_t> rows, list<int64_t> columns,
                            const array &covariance, on_error to = {}) const {
    to.settle(pcml_inference_covariance(get(), scratch.get(), variance.get(), rows.data(), rows.size(), columns.data(), columns.size(),
                                        covariance.get()));
  }
  void inference_jvp(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                     const const_array &tangent_mean, const const_array &tangent_variance, const const_array &tangent_b,
                     const array &tangent, on_error to = {}) const {
    to.settle(pcml_inference_jvp(get(), scratch.get(), mean.get(), variance.get(), b.get(), tangent_mean.get(), tangent_variance.get(),
                                 tangent_b.get(), tangent.get()));
  }
  void inference_vjp(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                     const const_array &cotangent, const array &gradient_mean, const array &gradient_variance = {},
                     const array &gradient_b = {}, on_error to = {}) const {
    to.settle(pcml_inference_vjp(get(), scratch.get(), mean.get(), variance.get(), b.get(), cotangent.get(), gradient_mean.get(),
                                 gradient_variance.get(), gradient_b.get()));
  }

  void part_project(workspace &scratch, reduction &sum, const const_array &mean, const const_array &variance, const const_array &b,
                    const const_array &lower, const const_array &upper, const array &posterior_mean, const array &posterior_variance = {},
                    report *filled = nullptr, on_error to = {}) const {
    if (detail::usable(filled, to))
      sum.settle(pcml_part_project(get(), scratch.get(), sum.get(), mean.get(), variance.get(), b.get(), lower.get(), upper.get(),
                                   posterior_mean.get(), posterior_variance.get(), detail::raw(filled)),
                 to);
  }
  message part_begin(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                     const const_array &lower, const const_array &upper, const array &posterior_mean, const array &posterior_variance = {},
                     report *filled = nullptr, on_error to = {}) const {
    return part_step(pcml_part_begin, scratch, mean, variance, b, lower, upper, posterior_mean, posterior_variance, filled, to);
  }
  message part_continue(workspace &scratch, const const_array &mean, const const_array &variance, const const_array &b,
                        const const_array &lower, const const_array &upper, const array &posterior_mean,
                        const array &posterior_variance = {}, report *filled = nullptr, on_error to = {}) const {
    return part_step(pcml_part_continue, scratch, mean, variance, b, lower, upper, posterior_mean, posterior_variance, filled, to);
  }

 private:
  projector(const constraints &rows, prior metric, const options *settings, on_error to) {
    if (detail::usable(settings, to))
      create(to, [&](pcml_projector **made) {
        return pcml_projector_create(rows.get(), static_cast<int32_t>(metric), detail::raw(settings), made);
      });
  }
  message part_step(decltype(pcml_part_begin) step, workspace &scratch, const const_array &mean, const const_array &variance,
                    const const_array &b, const const_array &lower, const const_array &upper, const array &posterior_mean,
                    const array &posterior_variance, report *filled, on_error to) const {
    int64_t *values = nullptr, count = 0;
    if (detail::usable(filled, to))
      to.settle(step(get(), scratch.get(), mean.get(), variance.get(), b.get(), lower.get(), upper.get(), posterior_mean.get(),
                     posterior_variance.get(), detail::raw(filled), &values, &count));
    return {values, count};
  }
};

/** A model bound to sizes, arithmetic and sampling. */
class plan : public detail::handle<pcml_plan, pcml_plan_free> {
 public:
  using handle::handle;
  plan() = default;
  plan(const model &surrogate, dtype arithmetic, on_error to = {}) : plan(surrogate, arithmetic, nullptr, to) {}
  plan(const model &surrogate, dtype arithmetic, const options &settings, on_error to = {}) : plan(surrogate, arithmetic, &settings, to) {}

  workspace make_workspace(on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_plan_workspace(get(), made); });
  }
  workspace make_derivative_workspace(on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_plan_derivative_workspace(get(), made); });
  }

  void condition(workspace &scratch, const const_array &context_x, const const_array &context_y, on_error to = {}) const {
    to.settle(pcml_plan_condition(get(), scratch.get(), context_x.get(), context_y.get()));
  }
  void condition_noisy(workspace &scratch, const const_array &context_x, const const_array &context_y, const const_array &noise,
                       on_error to = {}) const {
    to.settle(pcml_plan_condition_noisy(get(), scratch.get(), context_x.get(), context_y.get(), noise.get()));
  }
  double jitter(workspace &scratch, on_error to = {}) const {
    double value = 0.0;
    to.settle(pcml_plan_jitter(get(), scratch.get(), &value));
    return value;
  }
  void latent(workspace &scratch, const array &mu, const array &log_variance, on_error to = {}) const {
    to.settle(pcml_plan_latent(get(), scratch.get(), mu.get(), log_variance.get()));
  }
  void query(workspace &scratch, const const_array &target_x, const const_array &eps, const array &mean, const array &variance = {},
             on_error to = {}) const {
    to.settle(pcml_plan_query(get(), scratch.get(), target_x.get(), eps.get(), mean.get(), variance.get()));
  }
  void covariance(workspace &scratch, const const_array &target_x, const array &mean, const array &covariance, on_error to = {}) const {
    to.settle(pcml_plan_covariance(get(), scratch.get(), target_x.get(), mean.get(), covariance.get()));
  }
  void predict(workspace &scratch, const const_array &input, list<const_array> values, const array &output, on_error to = {}) const {
    to.settle(pcml_plan_predict(get(), scratch.get(), input.get(), detail::raw(values), values.size(), output.get()));
  }
  void predict_fields(workspace &scratch, list<const_array> inputs, list<const_array> values, list<array> outputs,
                      on_error to = {}) const {
    to.settle(pcml_plan_predict_fields(get(), scratch.get(), detail::raw(inputs), inputs.size(), detail::raw(values), values.size(),
                                       detail::raw(outputs), outputs.size()));
  }
  void predict_moments(workspace &scratch, const const_array &input, list<const_array> values, const array &mean, const array &variance,
                       on_error to = {}) const {
    to.settle(pcml_plan_predict_moments(get(), scratch.get(), input.get(), detail::raw(values), values.size(), mean.get(), variance.get()));
  }
  void predict_factors(workspace &scratch, const const_array &input, list<const_array> values, const array &mean, const array &low_rank,
                       on_error to = {}) const {
    to.settle(pcml_plan_predict_factors(get(), scratch.get(), input.get(), detail::raw(values), values.size(), mean.get(), low_rank.get()));
  }
  void query_factors(workspace &scratch, const const_array &target_x, const const_array &eps, const array &mean, const array &low_rank,
                     on_error to = {}) const {
    to.settle(pcml_plan_query_factors(get(), scratch.get(), target_x.get(), eps.get(), mean.get(), low_rank.get()));
  }
  int64_t members(on_error to = {}) const {
    int64_t count = 0;
    to.settle(pcml_plan_members(get(), &count));
    return count;
  }
  void predict_lawful(workspace &scratch, const const_array &input, list<const_array> values, const projector &law, workspace &law_scratch,
                      const const_array &variance, const const_array &b, const array &mean, const array &posterior_variance = {},
                      report *filled = nullptr, on_error to = {}) const {
    if (detail::usable(filled, to))
      to.settle(pcml_plan_predict_lawful(get(), scratch.get(), input.get(), detail::raw(values), values.size(), law.get(),
                                         law_scratch.get(), variance.get(), b.get(), mean.get(), posterior_variance.get(),
                                         detail::raw(filled)));
  }
  /** value_tangents: as many as values, or none. */
  void jvp(workspace &scratch, const const_array &input, list<const_array> values, const const_array &input_tangent,
           list<const_array> value_tangents, const array &output_tangent, on_error to = {}) const {
    if (detail::expect(value_tangents.empty() || value_tangents.size() == values.size(), "jvp: not one tangent a value", to))
      to.settle(pcml_plan_jvp(get(), scratch.get(), input.get(), detail::raw(values), values.size(), input_tangent.get(),
                              detail::raw(value_tangents), output_tangent.get()));
  }
  /** value_cotangents: as many as values, or none. */
  void vjp(workspace &scratch, const const_array &input, list<const_array> values, const const_array &output_cotangent,
           const array &input_cotangent, list<array> value_cotangents = {}, on_error to = {}) const {
    if (detail::expect(value_cotangents.empty() || value_cotangents.size() == values.size(), "vjp: not one cotangent a value", to))
      to.settle(pcml_plan_vjp(get(), scratch.get(), input.get(), detail::raw(values), values.size(), output_cotangent.get(),
                              input_cotangent.get(), detail::raw(value_cotangents)));
  }
  int64_t regularised(on_error to = {}) const {
    int64_t count = 0;
    to.settle(pcml_plan_regularised(get(), &count));
    return count;
  }

 private:
  plan(const model &surrogate, dtype arithmetic, const options *settings, on_error to) {
    if (detail::usable(settings, to))
      create(to, [&](pcml_plan **made) {
        return pcml_plan_create(surrogate.get(), static_cast<int32_t>(arithmetic), detail::raw(settings), made);
      });
  }
};

/** One part of a neural operator on a grid that lies in parts. */
class operator_part : public detail::handle<pcml_operator_part, pcml_operator_part_free> {
 public:
  using handle::handle;
  operator_part() = default;
  operator_part(const model &surrogate, dtype arithmetic, const options &settings, int64_t block, list<int64_t> owned, on_error to = {}) {
    if (detail::usable(&settings, to))
      create(to, [&](pcml_operator_part **made) {
        return pcml_operator_part_create(surrogate.get(), static_cast<int32_t>(arithmetic), settings.get(), block, owned.data(),
                                         owned.size(), made);
      });
  }

  workspace make_workspace(on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_operator_part_workspace(get(), made); });
  }
  void predict(workspace &scratch, reduction &sum, const const_array &input, list<const_array> values, const array &output,
               on_error to = {}) const {
    sum.settle(pcml_operator_part_predict(get(), scratch.get(), sum.get(), input.get(), detail::raw(values), values.size(), output.get()),
               to);
  }
  /** `storage` is the dtype of the output. `continue` being a keyword, the next step is `proceed`. */
  message begin(workspace &scratch, const const_array &input, list<const_array> values, dtype storage, on_error to = {}) const {
    int64_t *integers = nullptr, count = 0;
    to.settle(pcml_operator_part_begin(get(), scratch.get(), input.get(), detail::raw(values), values.size(),
                                       static_cast<int32_t>(storage), &integers, &count));
    return {integers, count};
  }
  message proceed(workspace &scratch, on_error to = {}) const {
    int64_t *integers = nullptr, count = 0;
    to.settle(pcml_operator_part_continue(get(), scratch.get(), &integers, &count));
    return {integers, count};
  }
  void finish(workspace &scratch, const array &output, on_error to = {}) const {
    to.settle(pcml_operator_part_finish(get(), scratch.get(), output.get()));
  }
};

/** A mesh whose face fluxes are to close every cell's balance. */
class flux : public detail::handle<pcml_flux, pcml_flux_free> {
 public:
  using handle::handle;
  flux() = default;
  flux(list<int64_t> owner, list<int64_t> neighbour, const const_array &volumes, on_error to = {})
      : flux(owner, neighbour, volumes, nullptr, to) {}
  flux(list<int64_t> owner, list<int64_t> neighbour, const const_array &volumes, const options &settings, on_error to = {})
      : flux(owner, neighbour, volumes, &settings, to) {}

  workspace make_workspace(on_error to = {}) const {
    return detail::make_workspace(to, [&](pcml_workspace **made) { return pcml_flux_workspace(get(), made); });
  }
  void correct(workspace &scratch, const const_array &fluxes, const const_array &variance, const const_array &source,
               const array &corrected, flux_report *filled = nullptr, on_error to = {}) const {
    to.settle(pcml_flux_correct(get(), scratch.get(), fluxes.get(), variance.get(), source.get(), corrected.get(), filled));
  }
  void residual(workspace &scratch, const const_array &fluxes, const const_array &source, const array &residual, on_error to = {}) const {
    to.settle(pcml_flux_residual(get(), scratch.get(), fluxes.get(), source.get(), residual.get()));
  }
  void jvp(workspace &scratch, const const_array &fluxes, const const_array &variance, const const_array &source,
           const const_array &tangent_fluxes, const const_array &tangent_variance, const const_array &tangent_source, const array &tangent,
           on_error to = {}) const {
    to.settle(pcml_flux_jvp(get(), scratch.get(), fluxes.get(), variance.get(), source.get(), tangent_fluxes.get(), tangent_variance.get(),
                            tangent_source.get(), tangent.get()));
  }
  void vjp(workspace &scratch, const const_array &fluxes, const const_array &variance, const const_array &source,
           const const_array &cotangent, const array &gradient_fluxes, const array &gradient_variance = {},
           const array &gradient_source = {}, on_error to = {}) const {
    to.settle(pcml_flux_vjp(get(), scratch.get(), fluxes.get(), variance.get(), source.get(), cotangent.get(), gradient_fluxes.get(),
                            gradient_variance.get(), gradient_source.get()));
  }
  void update(workspace &scratch, double dt, const const_array &state, const const_array &fluxes, const const_array &source,
              const array &new_state, on_error to = {}) const {
    to.settle(pcml_flux_update(get(), scratch.get(), dt, state.get(), fluxes.get(), source.get(), new_state.get()));
  }
  void update_bounded(workspace &scratch, double dt, const const_array &state, const const_array &fluxes, const const_array &source,
                      const const_array &lower, const const_array &upper, const const_array &low_order, const array &new_state,
                      const array &limited = {}, flux_limits *limits = nullptr, on_error to = {}) const {
    to.settle(pcml_flux_update_bounded(get(), scratch.get(), dt, state.get(), fluxes.get(), source.get(), lower.get(), upper.get(),
                                       low_order.get(), new_state.get(), limited.get(), limits));
  }

 private:
  flux(list<int64_t> owner, list<int64_t> neighbour, const const_array &volumes, const options *settings, on_error to) {
    if (detail::expect(owner.size() == neighbour.size(), "flux: owner and neighbour are of different lengths", to) &&
        detail::usable(settings, to))
      create(to, [&](pcml_flux **made) {
        return pcml_flux_create(owner.size(), owner.data(), neighbour.data(), volumes.get(), detail::raw(settings), made);
      });
  }
};

inline double log_density(const const_array &truth, const const_array &mean, const const_array &variance, on_error to = {}) {
  double density = 0.0;
  to.settle(pcml_log_density(truth.get(), mean.get(), variance.get(), &density));
  return density;
}

/** Exact, rounded once; over all parts where a reduction is given. */
inline double sum(const const_array &values, const const_array &second = {}, reduction *over = nullptr, on_error to = {}) {
  double total = 0.0;
  if (detail::usable(over, to))
    detail::settle(pcml_sum(values.get(), second.get(), detail::raw(over), &total), over, to);
  return total;
}

using sum_integers = std::array<int64_t, PCML_SUM_BINS>;

inline sum_integers sum_bins(const const_array &values, const const_array &second = {}, on_error to = {}) {
  sum_integers bins = {};
  to.settle(pcml_sum_bins(values.get(), second.get(), bins.data()));
  return bins;
}
inline double sum_round(const sum_integers &bins, on_error to = {}) {
  double total = 0.0;
  to.settle(pcml_sum_round(bins.data(), &total));
  return total;
}

struct version_number {
  int32_t major, minor, patch;
};
/** Of the library that is linked. */
inline version_number version() noexcept {
  version_number v = {};
  pcml_version(&v.major, &v.minor, &v.patch);
  return v;
}
inline const char *version_string() noexcept { return pcml_version_string(); }

}  // namespace pcml

#endif
