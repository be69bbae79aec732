// The one place that calls OpenBLAS.
#include "cnn/core/sgemm.hpp"

#include <cblas.h>

#include <algorithm>

namespace cnn {

namespace {

constexpr int kBuiltWithOpenMp = 2;  // of openblas_get_parallel()

CBLAS_TRANSPOSE transpose(Operand use) {
  return use == Operand::kTransposed ? CblasTrans : CblasNoTrans;
}

}  // namespace

void sgemm(Operand use_a, Operand use_b, int m, int n, int k, const float* a, int lda, const float* b,
           int ldb, float beta, float* c, int ldc) {
  if (m == 0 || n == 0) return;
  // One row or column may have any distance to the next, which does not exist; BLAS still checks it.
  lda = std::max(lda, use_a == Operand::kAsStored ? k : m);
  ldb = std::max(ldb, use_b == Operand::kAsStored ? n : k);
  cblas_sgemm(CblasRowMajor, transpose(use_a), transpose(use_b), m, n, k, 1.0f, a, lda, b, ldb, beta, c,
              std::max(ldc, n));
}

void prepare_blas() {
  // The OpenMP build takes this number for OpenMP's own, so it must not get the call.
  if (openblas_get_parallel() != kBuiltWithOpenMp) openblas_set_num_threads(1);
}

std::string blas_description() {
  return std::string(openblas_get_config()) + ", core " + openblas_get_corename();
}

}  // namespace cnn
