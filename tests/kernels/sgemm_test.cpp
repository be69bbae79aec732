// sgemm against the definition, each operand stored either way.
#include "cnn/core/sgemm.hpp"

#include "maps.hpp"

namespace cnn::tests {

namespace {

void check(Operand use_a, Operand use_b, int m, int n, int k, float beta) {
  Numbers numbers(21);
  const int lda = (use_a == Operand::kAsStored ? k : m) + 2;
  const int ldb = (use_b == Operand::kAsStored ? n : k) + 1;
  const int ldc = n + 3;
  const auto size = [](int rows, int distance) { return static_cast<std::size_t>(rows * distance); };
  const Doubles a = numbers.uniform(size(use_a == Operand::kAsStored ? m : k, lda));
  const Doubles b = numbers.uniform(size(use_b == Operand::kAsStored ? k : n, ldb));
  std::vector<float> c = beta == 0 ? unwritten(size(m, ldc)) : floats(numbers.uniform(size(m, ldc)));
  Doubles expected;
  for (int row = 0; row < m; ++row) {
    for (int column = 0; column < n; ++column) {
      double sum = beta == 0 ? 0 : beta * c[static_cast<std::size_t>(row * ldc + column)];
      for (int i = 0; i < k; ++i) {
        const int at_a = use_a == Operand::kAsStored ? row * lda + i : i * lda + row;
        const int at_b = use_b == Operand::kAsStored ? i * ldb + column : column * ldb + i;
        sum += a[static_cast<std::size_t>(at_a)] * b[static_cast<std::size_t>(at_b)];
      }
      expected.push_back(sum);
    }
  }
  sgemm(use_a, use_b, m, n, k, floats(a).data(), lda, floats(b).data(), ldb, beta, c.data(), ldc);
  Doubles actual;
  for (int row = 0; row < m; ++row) {
    for (int column = 0; column < n; ++column)
      actual.push_back(c[static_cast<std::size_t>(row * ldc + column)]);
  }
  expect_close(actual, expected, 2e-6, "c");
}

}  // namespace

TEST(Sgemm, EqualsTheDefinition) {
  prepare_blas();
  for (const Operand use_a : {Operand::kAsStored, Operand::kTransposed}) {
    for (const Operand use_b : {Operand::kAsStored, Operand::kTransposed}) {
      for (const int m : {1, 3, 17}) {
        for (const int n : {1, 7, 40}) {
          for (const int k : {1, 5, 64}) {
            check(use_a, use_b, m, n, k, 0);
            check(use_a, use_b, m, n, k, 1);
          }
        }
      }
    }
  }
}

TEST(Sgemm, NamesTheLibrary) {
  EXPECT_NE(blas_description().find("OpenBLAS"), std::string::npos);
}

}  // namespace cnn::tests
