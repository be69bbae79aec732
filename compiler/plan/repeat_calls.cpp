// Which calls are made twice. A value can be made once more where its calls do nothing else (Step::again) and read what is there
// anyway. Where most is live, the value that costs least for its size goes, until that gains nothing or a budget is spent.
#include "plan/repeat_calls.hpp"

#include <algorithm>
#include <compare>
#include <limits>
#include <optional>
#include <set>

namespace cnnc::plan {

namespace {

/// Multiply-adds that a processor makes in the time in which a float comes from memory.
constexpr std::int64_t kMacsPerFloat = 8;
/// Of the time that a step takes, by that measure, what is made twice may take one part in this many.
constexpr std::int64_t kBudget = 70;
/// Where a step needs more than this, in floats, it may take one part in so many, until it doesn't.
constexpr std::int64_t kMuch = std::int64_t{128} << 20, kLargeBudget = 20;
/// A value may be made of another that is itself made once more, but not on and on.
constexpr int kLongestChain = 3;
/// Floats below which a step's memory is not worth any time.
constexpr std::int64_t kSmall = std::int64_t{2} << 20;
/// A value that is smaller, by itself and as a part of what is live, is not worth a line.
constexpr std::int64_t kSmallValue = std::int64_t{1} << 18, kSmallPart = 1000;

// Times are two a step, so that there is one in front of each: a call that is repeated for step i runs at 2 * i - 1.
constexpr int kNever = std::numeric_limits<int>::max();

struct Life {
  int first = kNever, last = -1;
  int gap_begin = -1, gap_end = -1;  // the times between hold nothing
};

// A step that writes a buffer, and which of its Step::again does so once more; none: it can't be made twice.
struct Writer {
  std::size_t step = 0;
  std::optional<std::size_t> again;

  friend auto operator<=>(const Writer&, const Writer&) = default;
};

struct Candidate {
  int buffer = -1;
  std::vector<Writer> writers;       // in order
  std::vector<int> inputs;           // buffers that they read beside it
  int kept_until = -1, needed_at = kNever;
  std::int64_t cost = 0;
  std::int64_t scratch = 0;          // the most that one of them shares
};

class Repeating {
 public:
  Repeating(Function& function, std::int64_t batch)
      : function_(function), batch_(batch), lives_(function.buffers.size()), readers_(function.buffers.size()),
        writers_(function.buffers.size()), replaced_(function.buffers.size(), kNever) {
    for (std::size_t step = 0; step < function.steps.size(); ++step) note(step);
    for (int buffer = 0; buffer < static_cast<int>(function.buffers.size()); ++buffer) consider(buffer);
    std::ranges::stable_sort(candidates_, [&](const Candidate& a, const Candidate& b) { return floats(a) * b.cost > floats(b) * a.cost; });
  }

  void run() {
    choose();
    leave_out_what_gains_nothing();
    insert();
  }

 private:
  Buffer& buffer(int number) { return function_.buffers[static_cast<std::size_t>(number)]; }
  int root(int number) { return buffer(number).slice_of >= 0 ? buffer(number).slice_of : number; }
  const Repetition& repetition(const Writer& writer) const { return function_.steps[writer.step].again[*writer.again]; }
  std::int64_t floats(const Candidate& candidate) { return buffer(candidate.buffer).floats(); }
  bool forward(std::size_t step) const { return static_cast<int>(step) < function_.backward_begin; }

  // What a step writes: its first operand, as every call has it. Of several buffers each has a call of its own to be made again.
  void note_written(std::size_t number) {
    const Step& step = function_.steps[number];
    const auto note_first = [&](const std::vector<Operand>& operands, std::optional<std::size_t> again) {
      const auto* first = operands.empty() ? nullptr : std::get_if<BufferOperand>(&operands.front());
      if (first != nullptr) writers_[static_cast<std::size_t>(root(first->buffer))].push_back({number, again});
    };
    for (std::size_t i = 0; i < step.again.size(); ++i) note_first(step.again[i].operands, i);
    if (step.again.empty()) note_first(step.operands, std::nullopt);
  }

  template <class Call>
  std::int64_t cost_of(const Call& call) {
    std::int64_t cost = call.macs * batch_ / kMacsPerFloat;
    const MemoryVisitor visitor{.buffer = [&](int number) {
      if (buffer(number).kind != Buffer::Kind::kScratch) cost += buffer(number).floats();
    }};
    for (const Operand& operand : call.operands) for_each_memory(operand, visitor);
    return cost;
  }

  void note(std::size_t number) {
    const Step& step = function_.steps[number];
    budget_ += cost_of(step);
    std::set<int> mentioned;
    const MemoryVisitor visitor{.buffer = [&](int buffer) { mentioned.insert(root(buffer)); }};
    for (const Operand& operand : step.operands) for_each_memory(operand, visitor);
    for (const int one : mentioned) {
      Life& life = lives_[static_cast<std::size_t>(one)];
      life.first = std::min(life.first, 2 * static_cast<int>(number));
      life.last = std::max(life.last, 2 * static_cast<int>(number));
      readers_[static_cast<std::size_t>(one)].push_back(number);
    }
    if (forward(number)) note_written(number);
    for (const Operand& operand : step.operands) {
      const auto* replaced = std::get_if<ReplacedOperand>(&operand);
      if (replaced != nullptr) replaced_[static_cast<std::size_t>(root(replaced->buffer))] = 2 * static_cast<int>(number);
    }
  }

  void consider(int number) {
    const auto& writers = writers_[static_cast<std::size_t>(number)];
    if (root(number) != number || writers.empty() || buffer(number).kind != Buffer::Kind::kBlocked) return;
    Candidate candidate;
    candidate.buffer = number;
    candidate.writers = writers;
    for (const std::size_t reader : readers_[static_cast<std::size_t>(number)]) {
      const int time = 2 * static_cast<int>(reader);
      if (forward(reader)) candidate.kept_until = time;
      else candidate.needed_at = std::min(candidate.needed_at, time - 1);
    }
    if (candidate.needed_at == kNever) return;
    std::set<int> inputs;
    for (const Writer& writer : writers) {
      if (!writer.again) return;
      const Repetition& call = repetition(writer);
      candidate.cost += cost_of(call);
      candidate.scratch = std::max(candidate.scratch, call.scratch.least());
      const MemoryVisitor visitor{.buffer = [&](int buffer) { inputs.insert(root(buffer)); }};
      for (const Operand& operand : call.operands) for_each_memory(operand, visitor);
    }
    inputs.erase(number);
    candidate.inputs.assign(inputs.begin(), inputs.end());
    // What they read must still be what it was: later calls in place would have changed it, or its own gradient lie there.
    for (const int input : candidate.inputs) {
      const auto& others = writers_[static_cast<std::size_t>(input)];
      if (!others.empty() && others.back().step > writers.front().step) return;
      if (replaced_[static_cast<std::size_t>(input)] < candidate.needed_at) return;
    }
    candidates_.push_back(std::move(candidate));
  }

  // Lifetimes if the chosen ones are made once more; none if that would be a longer chain than is allowed.
  std::optional<std::vector<Life>> lives_with(const std::vector<std::size_t>& chosen) {
    std::vector<Life> lives = lives_;
    std::vector<int> depth(lives.size(), 0);
    std::vector<const Candidate*> in_order;
    for (const std::size_t one : chosen) in_order.push_back(&candidates_[one]);
    std::ranges::sort(in_order, {}, [](const Candidate* one) { return one->writers.front().step; });
    for (const Candidate* one : in_order) {
      int& own = depth[static_cast<std::size_t>(one->buffer)];
      for (const int input : one->inputs) own = std::max(own, depth[static_cast<std::size_t>(input)]);
      if (++own > kLongestChain) return std::nullopt;
      Life& life = lives[static_cast<std::size_t>(one->buffer)];
      life.gap_begin = one->kept_until;
      life.gap_end = one->needed_at;
    }
    // Later ones first: what they read has to be there when they are made.
    for (auto one = in_order.rbegin(); one != in_order.rend(); ++one) {
      const int made_at = lives[static_cast<std::size_t>((*one)->buffer)].gap_end;
      for (const int input : (*one)->inputs) {
        Life& life = lives[static_cast<std::size_t>(input)];
        life.last = std::max(life.last, made_at);
        if (life.gap_end >= 0) life.gap_end = std::min(life.gap_end, made_at);
      }
    }
    return lives;
  }

  struct Peak {
    std::int64_t floats = 0;
    int time = 0;
  };

  // `chosen`: whose calls run again in these lives.
  Peak peak_of(const std::vector<Life>& lives, const std::vector<std::size_t>& chosen) {
    std::vector<std::int64_t> change(2 * function_.steps.size() + 1, 0);
    const auto live = [&](int begin, int end, std::int64_t floats) {
      change[static_cast<std::size_t>(begin)] += floats;
      change[static_cast<std::size_t>(end) + 1] -= floats;
    };
    for (int number = 0; number < static_cast<int>(lives.size()); ++number) {
      const Life& life = lives[static_cast<std::size_t>(number)];
      if (!buffer(number).has_place() || life.last < 0) continue;
      if (life.gap_end >= 0) live(life.first, life.gap_begin, buffer(number).floats());
      live(life.gap_end >= 0 ? life.gap_end : life.first, life.last, buffer(number).floats());
    }
    for (const std::size_t number : chosen) {
      const int made_at = lives[static_cast<std::size_t>(candidates_[number].buffer)].gap_end;
      live(made_at, made_at, candidates_[number].scratch);
    }
    Peak peak;
    std::int64_t now = 0;
    for (std::size_t time = 0; time < change.size(); ++time) {
      now += change[time];
      if (now > peak.floats) peak = {now, static_cast<int>(time)};
    }
    return peak;
  }

  void choose() {
    std::int64_t spent = 0;
    Peak peak = peak_of(lives_, {});
    const auto lowers = [&](std::size_t number) {
      const Candidate& one = candidates_[number];
      const std::int64_t budget = budget_ / (peak.floats > kMuch ? kLargeBudget : kBudget);
      if (std::ranges::find(chosen_, number) != chosen_.end() || spent + one.cost > budget) return false;
      if (floats(one) < kSmallValue && floats(one) * kSmallPart < peak.floats) return false;
      if (one.kept_until >= peak.time || one.needed_at <= peak.time) return false;
      std::vector<std::size_t> trial = chosen_;
      trial.push_back(number);
      const auto lives = lives_with(trial);
      if (!lives) return false;
      // Of several peaks of one height each has its turn.
      const Peak then = peak_of(*lives, trial);
      if (then.floats > peak.floats || (then.floats == peak.floats && then.time == peak.time)) return false;
      chosen_ = std::move(trial);
      spent += one.cost;
      peak = then;
      return true;
    };
    const auto any_lowers = [&] {
      for (std::size_t number = 0; number < candidates_.size(); ++number) {
        if (lowers(number)) return true;
      }
      return false;
    };
    if (peak.floats < kSmall) return;
    while (any_lowers()) {}
  }

  void leave_out_what_gains_nothing() {
    for (std::size_t i = chosen_.size(); i-- > 0;) {
      std::vector<std::size_t> fewer = chosen_;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      if (peak_of(*lives_with(fewer), fewer).floats <= peak_of(*lives_with(chosen_), chosen_).floats) chosen_ = std::move(fewer);
    }
  }

  void insert() {
    const std::vector<Life> lives = *lives_with(chosen_);
    std::vector<std::vector<Writer>> in_front(function_.steps.size());
    for (const std::size_t number : chosen_) {
      const Candidate& one = candidates_[number];
      const auto place = static_cast<std::size_t>((lives[static_cast<std::size_t>(one.buffer)].gap_end + 1) / 2);
      in_front[place].insert(in_front[place].end(), one.writers.begin(), one.writers.end());
    }
    std::vector<Step> steps;
    for (std::size_t number = 0; number < function_.steps.size(); ++number) {
      std::ranges::sort(in_front[number]);
      for (const Writer& writer : in_front[number]) {
        const Repetition& call = repetition(writer);
        const auto layer = call.layer ? call.layer : function_.steps[number].layer;
        steps.push_back({.function = call.function, .operands = call.operands, .layer = layer, .macs = call.macs, .scratch = call.scratch,
                         .repeated = true});
        if (call.scratch.shared > 0) share_scratch(function_, steps.back());
      }
      steps.push_back(function_.steps[number]);
    }
    function_.steps = std::move(steps);
  }

  Function& function_;
  std::int64_t batch_;
  std::int64_t budget_ = 0;
  std::vector<Life> lives_;                        // by buffer, as do the next two
  std::vector<std::vector<std::size_t>> readers_;  // steps that read or write it
  std::vector<std::vector<Writer>> writers_;       // of the forward half
  std::vector<int> replaced_;                      // by buffer: when a gradient takes its place
  std::vector<Candidate> candidates_;
  std::vector<std::size_t> chosen_;
};

}  // namespace

void repeat_calls(Function& function, std::int64_t batch) {
  Repeating(function, batch).run();
}

}  // namespace cnnc::plan
