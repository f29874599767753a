//! The C library: everything that `pcml.h` declares, which is `pcml::capi`, as `libpcml.so` and `libpcml.a`.

pub use pcml_rust::capi::*;

#[global_allocator]
static ALLOCATOR: Reserve = Reserve;
