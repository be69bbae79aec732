// Comma-separated values, by RFC 4180's rules.
#include "cnn/data/csv.hpp"

#include <gtest/gtest.h>

#include "formats/format_error.hpp"
#include "temporary_folder.hpp"

namespace cnn {
namespace {

using Fields = std::vector<std::string>;

std::vector<CsvRecord> read(const std::string& text) {
  const cnn_tests::TemporaryFolder folder;
  cnn_tests::write_file(folder / "a.csv", text);
  return read_csv(folder / "a.csv");
}

TEST(Csv, ReadsFieldsAndLines) {
  const auto records = read(
      "\xef\xbb\xbf"
      "a,b\r\n\n\"c, \"\"d\"\"\",e f\n\"two\nlines\",\r\nlast,");
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[0].fields, (Fields{"a", "b"}));
  EXPECT_EQ(records[1].fields, (Fields{"c, \"d\"", "e f"}));
  EXPECT_EQ(records[2].fields, (Fields{"two\nlines", ""}));
  EXPECT_EQ(records[3].fields, (Fields{"last", ""}));
  EXPECT_EQ(records[0].line, 1u);
  EXPECT_EQ(records[1].line, 3u);
  EXPECT_EQ(records[2].line, 4u);
  EXPECT_EQ(records[3].line, 6u);
}

TEST(Csv, RefusesQuotesThatDoNotMatch) {
  EXPECT_NE(cnn_tests::error_of<formats::FormatError>([] {
              read("a,b\n\"c,d\n");
            }).find("line 2 has a quote that nothing closes"),
            std::string::npos);
  EXPECT_NE(cnn_tests::error_of<formats::FormatError>([] {
              read("\"a\"b,c\n");
            }).find("line 1 has text behind a closing quote"),
            std::string::npos);
}

TEST(Csv, HasNoRecordsWithoutText) {
  EXPECT_TRUE(read("\n\r\n").empty());
}

}  // namespace
}  // namespace cnn
