// Pairs by name and in order, and what is said where they don't come about.
#include "formats/match.hpp"

#include <gtest/gtest.h>

namespace cnn::formats {
namespace {

using Extents = std::vector<std::int64_t>;

StoredTensor stored(std::string name, Extents extents, std::string type = "F32") {
  return {.name = std::move(name), .type = std::move(type), .extents = std::move(extents), .count = 0};
}

WantedTensor wanted(std::string name, Extents extents, std::string head = "") {
  return {.name = std::move(name), .extents = std::move(extents), .head = std::move(head)};
}

/// "wanted=stored wanted=stored".
std::string pairs(const Pairing& pairing, const std::vector<WantedTensor>& ours,
                  const std::vector<StoredTensor>& theirs) {
  std::string text;
  for (const TensorPair& pair : pairing.pairs)
    text += (text.empty() ? "" : " ") + ours[pair.wanted].name + "=" + theirs[pair.stored].name;
  return text;
}

TEST(Match, ShapesThatAreTheSameNumbers) {
  EXPECT_TRUE(same_shape(Extents{10, 64}, Extents{10, 64, 1, 1}));
  EXPECT_TRUE(same_shape(Extents{10, 64, 1, 1}, Extents{10, 64}));
  EXPECT_TRUE(same_shape(Extents{}, Extents{}));
  EXPECT_FALSE(same_shape(Extents{64}, Extents{64, 1}));
  EXPECT_FALSE(same_shape(Extents{64}, Extents{64, 1, 1, 1}));
  EXPECT_FALSE(same_shape(Extents{10, 64}, Extents{1, 1, 10, 64}));
  EXPECT_FALSE(same_shape(Extents{10, 64}, Extents{64, 10}));
}

TEST(Match, NamesAreTriedAsInTheSourceThenAsHereThenRelative) {
  const std::vector<WantedTensor> ours{wanted("backbone.conv1.weight", {4, 3})};
  EXPECT_EQ(possible_names(ours, "backbone", "features"),
            (std::vector<Names>{{"features.conv1.weight"}, {"backbone.conv1.weight"}, {"conv1.weight"}}));
  EXPECT_EQ(possible_names(ours, "", ""), (std::vector<Names>{{"backbone.conv1.weight"}}));
  EXPECT_EQ(possible_names(ours, "back", ""),
            (std::vector<Names>{{"backbone.conv1.weight"}, {"backbone.conv1.weight"}}));

  const std::vector<StoredTensor> theirs{stored("conv1.weight", {5, 5}),
                                         stored("features.conv1.weight", {4, 3})};
  const Pairing pairing = match_by_name(ours, theirs, possible_names(ours, "backbone", "features"));
  EXPECT_EQ(pairs(pairing, ours, theirs), "backbone.conv1.weight=features.conv1.weight");
  EXPECT_TRUE(pairing.complete());
  EXPECT_EQ(pairing.left_over, (std::vector<std::size_t>{0}));
}

TEST(Match, ByNameBothSidesAreListed) {
  const std::vector<WantedTensor> ours{wanted("a", {2}), wanted("b", {3}), wanted("c", {4}),
                                       wanted("d", {5})};
  const std::vector<StoredTensor> theirs{stored("d", {5}, "I64"), stored("b", {4}), stored("a", {2}),
                                         stored("e", {}), stored("bn.num_batches_tracked", {}, "I64")};
  const Pairing pairing = match_by_name(ours, theirs, possible_names(ours, "", ""));
  EXPECT_FALSE(pairing.complete());
  EXPECT_EQ(
      mismatch_text(pairing, ours, theirs),
      "\n  missing:\n    c 4\n  different:\n    b is F32 4, expected F32 3\n    d is I64 5, expected F32 5\n"
      "  not asked for:\n    e scalar");
}

TEST(Match, ByNameAWholeOtherNamingIsHelped) {
  const std::vector<WantedTensor> ours{wanted("a", {2})};
  const std::vector<StoredTensor> theirs{stored("0", {2})};
  EXPECT_EQ(mismatch_text(match_by_name(ours, theirs, possible_names(ours, "", "")), ours, theirs),
            "\n  missing:\n    a 2\n  not asked for:\n    0 2\n  no name is the same; match=order pairs "
            "tensors in their "
            "order of definition");
}

TEST(Match, InOrderWithoutStepCountsAndWhole) {
  const std::vector<WantedTensor> ours{wanted("c.weight", {2, 3}), wanted("n.weight", {2}),
                                       wanted("n.bias", {2}), wanted("n.running_mean", {2}),
                                       wanted("n.running_var", {2})};
  const std::vector<StoredTensor> theirs{stored("0.weight", {2, 3, 1, 1}),
                                         stored("1.weight", {2}),
                                         stored("1.bias", {2}),
                                         stored("1.running_mean", {2}),
                                         stored("1.running_var", {2}),
                                         stored("1.num_batches_tracked", {}, "I64"),
                                         stored("2.weight", {9})};
  const Pairing pairing = match_in_order(ours, theirs);
  EXPECT_EQ(pairs(pairing, ours, theirs),
            "c.weight=0.weight n.weight=1.weight n.bias=1.bias n.running_mean=1.running_mean "
            "n.running_var=1.running_var");
  EXPECT_EQ(pairing.left_over, (std::vector<std::size_t>{6}));
  EXPECT_EQ(pair_lines(pairing, ours, theirs)[1], "n.weight        2    1.weight");
}

TEST(Match, InOrderTheFirstPairThatDisagreesIsNamed) {
  const std::vector<WantedTensor> ours{wanted("stem.weight", {4, 3}), wanted("skip.weight", {8, 4}),
                                       wanted("main.weight", {4, 4})};
  const std::vector<StoredTensor> theirs{stored("a.weight", {4, 3}), stored("b.weight", {4, 4}),
                                         stored("c.weight", {8, 4})};
  const Pairing pairing = match_in_order(ours, theirs);
  EXPECT_EQ(
      mismatch_text(pairing, ours, theirs),
      "\n  after 1 pair, these two don't go together:\n    skip.weight 8x4\n    b.weight 4x4 in the file\n"
      "  the file has this shape 1 tensor later, as c.weight: where branches stand in another order, write "
      "them in "
      "the file's");
}

// Equal shapes alone would pair a bias with a weight.
TEST(Match, InOrderTheNamesLastPartsMustNotContradict) {
  const std::vector<WantedTensor> ours{wanted("n.weight", {2}), wanted("n.bias", {2})};
  const std::vector<StoredTensor> theirs{stored("n.bias", {2}), stored("n.weight", {2})};
  EXPECT_FALSE(match_in_order(ours, theirs).complete());
  const std::vector<StoredTensor> keras{stored("n.gamma", {2}), stored("n.beta", {2})};
  EXPECT_TRUE(match_in_order(ours, keras).complete());
}

TEST(Match, AFileThatWasSortedByNameHasNoOrder) {
  std::vector<WantedTensor> ours;
  std::vector<StoredTensor> theirs;
  for (const char* name : {"0", "1", "10", "2"}) {
    ours.push_back(wanted(std::string("conv") + name + ".weight", {4, 4, 3, 3}));
    theirs.push_back(stored(std::string("layers.") + name + ".weight", {4, 4, 3, 3}));
  }
  const Pairing pairing = match_in_order(ours, theirs);
  EXPECT_FALSE(pairing.complete());
  EXPECT_NE(pairing.hint.find("sorted by name (layers.10.weight before layers.2.weight)"), std::string::npos);
  std::swap(theirs[2], theirs[3]);
  EXPECT_TRUE(match_in_order(ours, theirs).complete());
}

// GoogLeNet as published has its heads in the middle, torchvision's at the end but for the classifier.
const std::vector<WantedTensor> kHeads{wanted("i4a.weight", {5, 5}),
                                       wanted("aux1.conv.weight", {7, 5}, "aux1"),
                                       wanted("aux1.fc.weight", {3, 7}, "aux1"),
                                       wanted("i4b.weight", {6, 5}),
                                       wanted("aux2.conv.weight", {7, 6}, "aux2"),
                                       wanted("aux2.fc.weight", {3, 7}, "aux2"),
                                       wanted("fc.weight", {3, 6})};

TEST(Match, HeadsArePairedAsUnitsByName) {
  const std::vector<StoredTensor> theirs{stored("4a.weight", {5, 5}),        stored("4b.weight", {6, 5}),
                                         stored("aux1.conv.weight", {7, 5}), stored("aux1.fc.weight", {3, 7}),
                                         stored("aux2.conv.weight", {7, 6}), stored("aux2.fc.weight", {3, 7}),
                                         stored("fc.weight", {3, 6})};
  const Pairing pairing = match_in_order(kHeads, theirs);
  EXPECT_TRUE(pairing.complete());
  EXPECT_EQ(pairs(pairing, kHeads, theirs),
            "i4a.weight=4a.weight i4b.weight=4b.weight fc.weight=fc.weight aux1.conv.weight=aux1.conv.weight "
            "aux1.fc.weight=aux1.fc.weight aux2.conv.weight=aux2.conv.weight aux2.fc.weight=aux2.fc.weight");
}

TEST(Match, HeadsUnderOtherNamesAreFoundByTheirShapes) {
  const std::vector<StoredTensor> theirs{stored("l.0", {5, 5}), stored("l.1", {6, 5}), stored("l.2", {7, 6}),
                                         stored("l.3", {3, 7}), stored("l.4", {7, 5}), stored("l.5", {3, 7}),
                                         stored("l.6", {3, 6})};
  const Pairing pairing = match_in_order(kHeads, theirs);
  EXPECT_TRUE(pairing.complete());
  EXPECT_EQ(pairs(pairing, kHeads, theirs),
            "i4a.weight=l.0 i4b.weight=l.1 fc.weight=l.6 aux1.conv.weight=l.4 aux1.fc.weight=l.5 "
            "aux2.conv.weight=l.2 "
            "aux2.fc.weight=l.3");
}

TEST(Match, HeadsThatOneSideLacks) {
  const std::vector<StoredTensor> without{stored("4a.weight", {5, 5}), stored("4b.weight", {6, 5}),
                                          stored("fc.weight", {3, 6})};
  const Pairing missing = match_in_order(kHeads, without);
  EXPECT_EQ(missing.pairs.size(), 3u);
  EXPECT_EQ(missing.missing, (std::vector<std::size_t>{1, 2, 4, 5}));
  EXPECT_TRUE(only_heads_are_missing(missing, kHeads));

  std::vector<StoredTensor> with = without;
  with.insert(with.begin() + 1,
              {stored("AuxLogits.conv0.weight", {7, 5}), stored("AuxLogits.fc.weight", {3, 7})});
  const std::vector<WantedTensor> plain{kHeads[0], kHeads[3], kHeads[6]};
  const Pairing extra = match_in_order(plain, with);
  EXPECT_TRUE(extra.complete());
  EXPECT_EQ(extra.left_over, (std::vector<std::size_t>{1, 2}));

  Pairing half = missing;
  half.missing.pop_back();
  half.pairs.push_back({5, 0});
  EXPECT_FALSE(only_heads_are_missing(half, kHeads)) << "half of a head is no head";
}

}  // namespace
}  // namespace cnn::formats
