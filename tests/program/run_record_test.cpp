// A run's record: through JSON and back, its best values, its table.
#include "cnn/program/run_record.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "cnn/program/progress.hpp"
#include "cnn/program/text.hpp"
#include "tiny_network.hpp"

namespace {

using namespace cnn::program;

RunRecord some_record() {
  RunRecord record;
  record.settings = {.spec_hash = "00ff",
                     .seed = 18446744073709551615u,
                     .batch = 8,
                     .data_fingerprint = "ab",
                     .version = "0.1.0",
                     .instruction_set = "x86-64",
                     .blas = "OpenBLAS",
                     .epochs = {2, 3},
                     .spec_epochs = {2, 2}};
  record.phase = 1;
  record.epoch = 1;
  record.step = 5;
  record.global_step = 17;
  record.tally.loss = 0.1 + 0.2;
  record.tally.images = 40;
  record.tally.correct = 13;
  record.tally.correct_top5 = 40;
  record.seconds = 1.0 / 3;
  record.rows = {{.epoch = 1,
                  .phase = "head",
                  .learning_rate = 0.001f,
                  .train_loss = 2.0 / 3,
                  .train_accuracy = 0.5,
                  .validation = Evaluation{1e-300, 1.0 / 7, 1},
                  .seconds = 1.23456},
                 {.epoch = 2,
                  .phase = "head",
                  .learning_rate = 0.001,
                  .train_loss = std::numeric_limits<double>::infinity(),
                  .train_accuracy = 0.25,
                  .validation = std::nullopt,
                  .seconds = 2}};
  record.best = {BestValue{0.125, 1}, std::nullopt};
  record.optimizer_steps = {0, 9007199254740993};
  return record;
}

TEST(RunRecord, KeepsEveryBitThroughJson) {
  const nlohmann::json once = to_json(some_record());
  const RunRecord back = record_from_json(nlohmann::json::parse(once.dump()));
  EXPECT_EQ(to_json(back), once);
  EXPECT_EQ(back.tally.loss, 0.1 + 0.2);
  EXPECT_EQ(back.settings.seed, 18446744073709551615u);
  EXPECT_EQ(back.optimizer_steps[1], 9007199254740993);
  EXPECT_EQ(back.rows[1].train_loss, std::numeric_limits<double>::infinity());
  EXPECT_FALSE(back.rows[1].validation || back.best[1]);
}

TEST(RunRecord, RefusesJsonWithSomethingMissing) {
  nlohmann::json json = to_json(some_record());
  json["settings"].erase("seed");
  EXPECT_THROW(record_from_json(json), nlohmann::json::exception);
}

TEST(RunRecord, IsCompleteAtTheEndOfTheLastPhase) {
  RunRecord record = some_record();
  EXPECT_FALSE(record.complete());
  record.epoch = 3;
  EXPECT_TRUE(record.complete());
  record.phase = 0;
  EXPECT_FALSE(record.complete());
}

TEST(RunRecord, MetricsHaveEmptyFieldsWithoutValidation) {
  EXPECT_EQ(metrics_csv(some_record(), tiny_description().training),
            "epoch,phase,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,val_top5\n"
            "1,head,0.001,0.6666666666666666,0.5,1e-300,0.14285714285714285,1.235,1\n"
            "2,head,0.001,inf,0.25,,,2.000,\n");
  cnn::TrainingDescription plain;
  EXPECT_EQ(metrics_csv(RunRecord{}, plain),
            "epoch,phase,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds\n");
}

TEST(RunRecord, LowerLossesAndHigherAccuraciesAreBetter) {
  EXPECT_TRUE(is_better("val_loss", 0.5, BestValue{0.6, 1}));
  EXPECT_FALSE(is_better("val_loss", 0.6, BestValue{0.6, 1}));
  EXPECT_TRUE(is_better("val_accuracy", 0.7, BestValue{0.6, 1}));
  EXPECT_FALSE(is_better("val_accuracy", 0.6, BestValue{0.6, 1}));
  EXPECT_TRUE(is_better("val_accuracy", 0, std::nullopt));
  EXPECT_FALSE(is_better("val_loss", std::nan(""), std::nullopt));
  EXPECT_EQ(monitored_value(some_record().rows[0], "val_accuracy"), 1.0 / 7);
  EXPECT_EQ(monitored_value(some_record().rows[1], "val_accuracy"), std::nullopt);
}

TEST(Text, ReadsAsPeopleWriteIt) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(61706), "61,706");
  EXPECT_EQ(with_commas(-1234567), "-1,234,567");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(3.5 * 1024 * 1024), "3.5 MiB");
  EXPECT_EQ(duration_text(4.06), "4.1 s");
  EXPECT_EQ(duration_text(125), "2 min 05 s");
  EXPECT_EQ(duration_text(3720), "1 h 02 min");
  EXPECT_EQ(percent_text(0.88125), "88.12 %");
}

TEST(Progress, ShowsShareSpeedAndTimeLeft) {
  EXPECT_EQ(progress_text("epoch 3/10", 30000, 60000, 15000, 0.43214),
            "epoch 3/10 [############............]  50 %  15,000 images/s  2.0 s left  loss 0.4321");
  EXPECT_EQ(progress_text("epoch 1/1", 5, 5, 10, 1),
            "epoch 1/1 [########################] 100 %  10 images/s  0.0 s left  loss 1.0000");
}

}  // namespace
