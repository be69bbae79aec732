// The product of matrices as it is defined, so that the sample library needs no BLAS.
#include "cnn/core/sgemm.hpp"

namespace cnn {

void sgemm(Operand use_a, Operand use_b, int m, int n, int k, const float* a, int lda, const float* b, int ldb, float beta,
           float* c, int ldc) {
  for (int row = 0; row < m; ++row) {
    for (int column = 0; column < n; ++column) {
      double sum = beta == 0 ? 0 : static_cast<double>(beta) * c[row * ldc + column];
      for (int i = 0; i < k; ++i) {
        const float left = use_a == Operand::kAsStored ? a[row * lda + i] : a[i * lda + row];
        const float right = use_b == Operand::kAsStored ? b[i * ldb + column] : b[column * ldb + i];
        sum += static_cast<double>(left) * right;
      }
      c[row * ldc + column] = static_cast<float>(sum);
    }
  }
}

}  // namespace cnn
