// Matrix products by OpenBLAS, in row-major order, and OpenBLAS's own settings. Nothing else of ours sees
// cblas.
#pragma once

#include <string>

namespace cnn {

/// How a stored row-major matrix enters a product.
enum class Operand { kAsStored, kTransposed };

/// c[m, n] = a[m, k] * b[k, n] + beta * c; each `ld` is the distance of two stored rows. With beta = 0, c is
/// not read. Works in the calling thread alone: call prepare_blas() once before.
void sgemm(Operand use_a, Operand use_b, int m, int n, int k, const float* a, int lda, const float* b,
           int ldb, float beta, float* c, int ldc);

/// Makes OpenBLAS work in the calling thread only, since threads are ours; its OpenMP build does so by itself
/// in a team. Takes the memory it needs for `threads` products at a time now rather than later.
void prepare_blas(int threads = 1);

/// OpenBLAS's version and options, and the processor that its kernels are for.
std::string blas_description();

}  // namespace cnn
