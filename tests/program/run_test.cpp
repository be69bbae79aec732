// What the sub-commands do when all is well.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "child.hpp"
#include "formats/safetensors.hpp"
#include "levels.hpp"

namespace {

using nlohmann::json;

/// A trained run, made once for all tests.
class Run : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TemporaryFolder();
    write_levels(*folder_ / "levels", 120, 30);
    trained_ = new Ended(run_child(TINY_PROGRAM, {"train", "--data", *folder_ / "levels", "--out", run(),
                                                  "--epochs", "8", "--threads", "2"}));
  }
  static void TearDownTestSuite() {
    delete trained_;
    delete folder_;
    folder_ = nullptr;
    trained_ = nullptr;
  }
  static std::string run() { return *folder_ / "run"; }
  static std::string file(const std::string& name) { return run() + "/" + name; }

  static Ended tiny(std::vector<std::string> arguments) { return run_child(TINY_PROGRAM, arguments); }
  // What it answers to orders on its standard input.
  static Ended tiny_told(const std::string& orders) {
    return run_child("/bin/sh", {"-c", "printf %s \"$0\" | \"$1\" bench --orders", orders, TINY_PROGRAM});
  }
  static json tiny_json(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const Ended ended = run_child(TINY_PROGRAM, arguments);
    EXPECT_EQ(ended.code, 0) << ended.errors;
    return json::parse(ended.output);
  }

  inline static TemporaryFolder* folder_ = nullptr;
  inline static Ended* trained_ = nullptr;
};

TEST_F(Run, TrainTellsItsStory) {
  ASSERT_EQ(trained_->code, 0) << trained_->errors;
  const std::string& text = trained_->output;
  EXPECT_TRUE(
      text.starts_with("Tiny on Levels: 163 parameters, adam(lr=0.01), batch 8, seed 7\nmemory planned: 4.2 "
                       "KiB for 2 threads and batch 8 ("))
      << text;
  EXPECT_NE(text.find("data: 90 training, 30 validation, 30 test images from"), std::string::npos) << text;
  EXPECT_NE(text.find("epoch  1/16  head  loss "), std::string::npos) << text;
  EXPECT_NE(text.find("epoch 16/16  all  loss "), std::string::npos) << text;
  EXPECT_NE(text.find("test accuracy "), std::string::npos) << text;
  EXPECT_NE(text.find("training time "), std::string::npos) << text;
  EXPECT_NE(text.find("next      tiny eval --out "), std::string::npos) << text;
  EXPECT_EQ(text.find('\r'), std::string::npos) << "a progress bar without a terminal";
  EXPECT_EQ(trained_->errors, "");
}

TEST_F(Run, MetricsHaveARowAnEpoch) {
  std::istringstream table(read_text(file("metrics.csv")));
  std::string line;
  std::getline(table, line);
  EXPECT_EQ(line, "epoch,phase,lr,train_loss,train_accuracy,val_loss,val_accuracy,seconds,val_top5");
  double first = 0, last = 0;
  int rows = 0;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string epoch, phase, rate, loss;
    std::getline(fields, epoch, ',');
    std::getline(fields, phase, ',');
    std::getline(fields, rate, ',');
    std::getline(fields, loss, ',');
    EXPECT_EQ(epoch, std::to_string(++rows));
    EXPECT_EQ(phase, rows <= 8 ? "head" : "all");
    EXPECT_EQ(rate, "0.01");
    if (rows == 1) first = std::stod(loss);
    last = std::stod(loss);
  }
  EXPECT_EQ(rows, 16);
  EXPECT_LT(last, 0.9 * first) << "it does not learn";
}

TEST_F(Run, WeightsSayWhatTheyAre) {
  const cnn::formats::SafetensorsFile weights(file("last.safetensors"));
  EXPECT_EQ(weights.names().size(), 4u);
  EXPECT_EQ(weights.tensor("hidden.weight").extents, (std::vector<std::int64_t>{8, 16}));
  EXPECT_EQ(weights.metadata().at("class_names"), R"(["low","middle","high"])");
  EXPECT_EQ(weights.metadata().at("preparation"), "1x4x4: pixels/255");
  EXPECT_EQ(weights.metadata().at("spec_hash"), "0123456789abcdef");
  EXPECT_EQ(weights.metadata().at("epoch"), "16");
}

TEST_F(Run, ReportHasEverythingToRepeatIt) {
  const json report = json::parse(read_text(file("run.json")));
  for (const char* key :
       {"version", "cpu", "instruction_set", "blas", "threads", "seed", "data_fingerprint", "rendered_spec"})
    EXPECT_TRUE(report.contains(key)) << key;
  EXPECT_EQ(report["epochs"], json({8, 8}));
  EXPECT_GT(report["result"]["test_accuracy"], 0.34);
}

TEST_F(Run, EvalAgreesWithTraining) {
  const json last = tiny_json({"eval", "--weights", file("last.safetensors"), "--data", *folder_ / "levels"});
  const json report = json::parse(read_text(file("run.json")));
  EXPECT_EQ(last["part"], "test");
  EXPECT_EQ(last["images"], 30);
  EXPECT_EQ(last["accuracy"], report["result"]["test_accuracy"]);
  EXPECT_EQ(last["loss"], report["result"]["test_loss"]);
  const json validation =
      tiny_json({"eval", "--out", run(), "--data", *folder_ / "levels", "--part", "val", "--batch", "3"});
  EXPECT_EQ(validation["weights"], file("best.safetensors"));
  EXPECT_EQ(validation["images"], 30);
  EXPECT_EQ(validation["top5"], 1.0);
  const Ended text = tiny({"eval", "--out", run(), "--data", *folder_ / "levels", "--part", "train"});
  EXPECT_NE(text.output.find("train part, 90 images: loss "), std::string::npos)
      << text.output << text.errors;
}

TEST_F(Run, PredictsTheImagesOfAFile) {
  const std::string images = *folder_ / "levels/t10k-images-idx3-ubyte";
  const json all = tiny_json({"predict", images, "--out", run()});
  ASSERT_EQ(all["predictions"].size(), 30u);
  EXPECT_EQ(all["predictions"][29]["index"], 29);
  double sum = 0;
  for (const json& guess : all["predictions"][17]["classes"]) sum += guess["probability"].get<double>();
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_GE(all["predictions"][17]["classes"][0]["probability"],
            all["predictions"][17]["classes"][1]["probability"]);
  const json evaluated = tiny_json({"eval", "--out", run(), "--data", *folder_ / "levels"});
  const char* names[] = {"low", "middle", "high"};
  int right = 0;
  for (std::size_t i = 0; i < 30; ++i)
    right += all["predictions"][i]["classes"][0]["class"] == names[(120 + i) % 3];
  EXPECT_DOUBLE_EQ(right / 30.0, evaluated["accuracy"].get<double>());
  const json few = tiny_json({"predict", images, images, "--out", run(), "--first", "3", "--top", "1"});
  ASSERT_EQ(few["predictions"].size(), 6u);
  EXPECT_EQ(few["predictions"][4]["index"], 1);
  EXPECT_EQ(few["predictions"][4]["classes"].size(), 1u);
  EXPECT_EQ(few["predictions"][4]["classes"][0], all["predictions"][1]["classes"][0]);
}

TEST_F(Run, InfoKnowsTheModel) {
  const json info = tiny_json({"info", "--threads", "3"});
  EXPECT_EQ(info["parameters"], 163);
  EXPECT_EQ(info["trainable"], 163);
  EXPECT_NE(info["instruction_set"], "");
  EXPECT_EQ(info["macs"], 152);
  EXPECT_EQ(info["layers"][0]["path"], "hidden");
  EXPECT_EQ(info["phases"][0]["trainable"], 27);
  EXPECT_EQ(info["phases"][1]["optimizer"], nullptr);
  EXPECT_EQ(info["memory_bytes"]["thread_scratch"], 3 * 16 * 4);
  EXPECT_NE(tiny({"info"}).output.find("163 parameters, 152 MAC/image"), std::string::npos);
}

TEST_F(Run, BenchTimesEveryPhase) {
  const json bench = tiny_json({"bench", "--steps", "5", "--batch", "4", "--threads", "1"});
  ASSERT_EQ(bench["timings"].size(), 3u);
  EXPECT_EQ(bench["timings"][1]["name"], "train_step all");
  EXPECT_GT(bench["timings"][2]["images_per_second"], 0);
}

TEST_F(Run, BenchAnswersOrders) {
  const Ended ended = tiny_told("peak\ntrain 2 8\npredict 3 1\nmemory\ntrain 1 9\nnonsense\nquit\ntrain 1 1\n");
  ASSERT_EQ(ended.code, 0) << ended.errors;
  std::vector<json> answers;
  std::istringstream lines(ended.output);
  for (std::string line; std::getline(lines, line);) answers.push_back(json::parse(line));
  ASSERT_EQ(answers.size(), 7u) << ended.output;
  EXPECT_EQ(answers[0]["ready"], "Tiny");
  EXPECT_GT(answers[1]["gflops"], 0);
  EXPECT_GT(answers[2]["seconds"], 0);
  EXPECT_GT(answers[3]["seconds"], 0);
  EXPECT_GE(answers[4]["peak"], answers[4]["bare"]);
  EXPECT_GT(answers[4]["bare"], 0);
  EXPECT_EQ(answers[5]["error"], "an order to run is: train|predict RUNS IMAGES, with at most 8 images");
  EXPECT_EQ(answers[6]["error"], "unknown order 'nonsense'");
}

TEST_F(Run, ProfileSumsUpLines) {
  const json step = tiny_json({"profile", "--steps", "3", "--threads", "1", "--phase", "all"});
  EXPECT_EQ(step["work"], "training step of phase all");
  ASSERT_EQ(step["lines"].size(), 2u);  // two of the three layers come from one line
  EXPECT_EQ(step["lines"][0]["layers"], json({"hidden", "relu1"}));
  EXPECT_GT(step["lines"][0]["forward"]["milliseconds"], 0);
  EXPECT_EQ(step["lines"][0]["backward"]["milliseconds"], 0);
  EXPECT_GT(step["lines"][1]["backward"]["milliseconds"], 0);
  ASSERT_EQ(step["rest"].size(), 3u);
  const json layers = tiny_json({"profile", "--steps", "3", "--layers", "--predict"});
  ASSERT_EQ(layers["layers"].size(), 3u);
  EXPECT_FALSE(layers["layers"][0].contains("backward"));
  EXPECT_EQ(layers["rest"].size(), 2u);
  const Ended text = tiny({"profile", "--steps", "1", "--batch", "2"});
  EXPECT_TRUE(text.output.starts_with("Tiny, training step of phase head: batch 2, ")) << text.output;
}

TEST_F(Run, QuietPrintsTheResultOnly) {
  const Ended ended =
      tiny({"train", "--data", *folder_ / "levels", "--out", *folder_ / "quiet", "--epochs", "1", "--quiet"});
  EXPECT_TRUE(ended.output.starts_with("test accuracy ")) << ended.output;
}

TEST_F(Run, SameSeedSameWeightsOnAnyNumberOfThreads) {
  std::vector<std::string> weights;
  for (const char* threads : {"1", "2", "4"}) {
    const std::string out = *folder_ / "threads" + threads;
    ASSERT_EQ(
        tiny({"train", "--data", *folder_ / "levels", "--out", out, "--epochs", "1", "--threads", threads})
            .code,
        0);
    weights.push_back(read_text(out + "/last.safetensors"));
  }
  EXPECT_FALSE(weights[0].empty());
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(weights[0], weights[2]);
  const std::string out = *folder_ / "seed";
  ASSERT_EQ(tiny({"train", "--data", *folder_ / "levels", "--out", out, "--epochs", "1", "--seed", "8"}).code,
            0);
  EXPECT_NE(weights[0], read_text(out + "/last.safetensors"));
}

TEST_F(Run, WorksWithoutValidation) {
  const std::string out = *folder_ / "unvalidated";
  const Ended ended =
      run_child(TINY_PROGRAM, {"train", "--data", *folder_ / "levels", "--out", out, "--epochs", "1"},
                {{"TINY_NO_VALIDATION", "1"}});
  ASSERT_EQ(ended.code, 0) << ended.errors;
  EXPECT_EQ(ended.output.find(" val "), std::string::npos) << ended.output;
  EXPECT_FALSE(std::filesystem::exists(out + "/best.safetensors"));
  EXPECT_NE(read_text(out + "/metrics.csv").find(",,,"), std::string::npos);
}

}  // namespace
