// The canonical form, whole strings: what the writer wrote and what becomes of it.
#include <gtest/gtest.h>

#include "parsed.hpp"

namespace cnnc::syntax {
namespace {

TEST(Format, TEMP) { EXPECT_EQ(1, 1); }

}  // namespace
}  // namespace cnnc::syntax
