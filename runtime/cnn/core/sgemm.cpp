// The one place that calls OpenBLAS.
#include "cnn/core/sgemm.hpp"

#include <cblas.h>

#include <algorithm>
#include <array>

// OpenBLAS's own memory: each product takes a buffer for its packed operands and gives it back. Exported by all of its
// builds, declared in none of its headers; weak, so that a BLAS without them links as well.
extern "C" {
__attribute__((weak)) void* blas_memory_alloc(int position);
__attribute__((weak)) void blas_memory_free(void* buffer);
}

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

void prepare_blas(int threads) {
  // A buffer is mapped when it is first wanted, which would be in the middle of a step whenever more threads than ever
  // before happen to multiply at the same time. Taking them all at once maps them here; more than there are threads,
  // since one that looks for a free buffer can pass by those that others give back behind it.
  if (blas_memory_alloc != nullptr && blas_memory_free != nullptr) {
    std::array<void*, 64> buffers{};
    const auto count = std::min(4 * static_cast<std::size_t>(threads), buffers.size());
    for (std::size_t i = 0; i < count; ++i) buffers[i] = blas_memory_alloc(0);
    for (std::size_t i = 0; i < count; ++i) blas_memory_free(buffers[i]);
  }
  // The OpenMP build takes this number for OpenMP's own, so it must not get the call.
  if (openblas_get_parallel() != kBuiltWithOpenMp) openblas_set_num_threads(1);
}

std::string blas_description() {
  return std::string(openblas_get_config()) + ", core " + openblas_get_corename();
}

}  // namespace cnn
