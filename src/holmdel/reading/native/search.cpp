// The search of reading/search.py and the alignment of reading/decode.py, in C++: the same
// arithmetic in the same order, some fifty times as fast. What they mean is told there.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <exception>
#include <limits>
#include <vector>

#define HOLMDEL_PUBLIC extern "C" __attribute__((visibility("default")))

namespace {

constexpr double kFaint = 1e-5;   // a prefix worth less than this part of the best is forgotten
constexpr double kTiny = 1e-150;  // probabilities under it are scaled up
constexpr int kNoMemory = -1;

// Probabilities (steps, classes), the last class the blank, and the automaton: the state after
// each character (states, characters), its last state the one of no return.
struct Problem {
  const double* probabilities;
  int steps, classes;
  const int64_t* table;
  int states, characters;
  const uint8_t* final;

  const double* at(int step) const { return probabilities + std::size_t(step) * classes; }
  double blank(int step) const { return at(step)[classes - 1]; }
  int64_t after(int64_t state, int character) const {
    return table[state * characters + character];
  }
};

// The texts so far, a tree: a text is its last character and the node of the text before it.
class Texts {
 public:
  Texts() { add(-1, -1); }

  int character(int node) const { return nodes_[node].character; }

  int longer(int node, int character) {
    for (int child = nodes_[node].child; child >= 0; child = nodes_[child].sibling) {
      if (nodes_[child].character == character) return child;
    }
    return add(node, character);
  }

  // Where a text stands among those of a step: each step has a stamp of its own.
  int* place(int node, int stamp) {
    if (nodes_[node].stamp != stamp) nodes_[node].stamp = stamp, nodes_[node].place = -1;
    return &nodes_[node].place;
  }

  int write(int node, uint8_t* to) const {
    int length = 0;
    for (int at = node; nodes_[at].parent >= 0; at = nodes_[at].parent) length++;
    for (int left = length; left-- > 0; node = nodes_[node].parent) to[left] = character(node);
    return length;
  }

 private:
  struct Node {
    int parent, character, child, sibling, stamp, place;
  };

  int add(int parent, int character) {
    const int sibling = parent < 0 ? -1 : nodes_[parent].child;
    const int added = int(nodes_.size());
    nodes_.push_back({parent, character, -1, sibling, -1, -1});
    if (parent >= 0) nodes_[parent].child = added;
    return added;
  }

  std::vector<Node> nodes_;
};

// The probability of a text's alignments that end in a blank, and in its own last character.
struct Prefix {
  int node;
  double blank, own;
  int64_t state;
  double worth;
};

// What may still come before each step, in each state and after each character.
class Worth {
 public:
  explicit Worth(const Problem& p)
      : states_(p.states), characters_(p.characters),
        after_blank_(std::size_t(p.steps + 1) * p.states),
        after_(after_blank_.size() * p.characters) {
    for (int state = 0; state < p.states; state++) fill(p.steps, state, p.final[state]);
    for (int step = p.steps - 1; step >= 0; step--) look_back(p, step);
  }

  double of(const Texts& texts, const Prefix& prefix, int step) const {
    double value = prefix.blank * after_blank_[index(step, prefix.state)];
    if (prefix.own > 0) {
      const int character = texts.character(prefix.node);
      const double own = after_[index(step, prefix.state) * characters_ + character];
      value += prefix.own * std::max(own, 0.0);
    }
    return value;
  }

 private:
  std::size_t index(int step, int64_t state) const { return std::size_t(step) * states_ + state; }

  void fill(int step, int state, double value) {
    after_blank_[index(step, state)] = value;
    std::fill_n(&after_[index(step, state) * characters_], characters_, value);
  }

  void look_back(const Problem& p, int step) {
    const double* likely = p.at(step);
    if (std::all_of(likely, likely + characters_, [](double x) { return x == 0; })) {
      for (int s = 0; s < states_; s++) fill(step, s, after_blank_[index(step + 1, s)]);
      return;
    }
    double most = 0;
    for (int s = 0; s < states_; s++) {
      double come = p.blank(step) * after_blank_[index(step + 1, s)];
      for (int c = 0; c < characters_; c++) come += likely[c] * follow(p, step, s, c);
      after_blank_[index(step, s)] = come;
      most = std::max(most, come);
    }
    const double scale = most > 0 ? most : 1;
    for (int s = 0; s < states_; s++) {
      const double come = after_blank_[index(step, s)];
      after_blank_[index(step, s)] = come / scale;
      for (int c = 0; c < characters_; c++) {
        const double stay = after_[index(step + 1, s) * characters_ + c];
        const double change = likely[c] * (stay - follow(p, step, s, c));
        after_[index(step, s) * characters_ + c] = (come + change) / scale;
      }
    }
  }

  double follow(const Problem& p, int step, int state, int character) const {
    return after_[index(step + 1, p.after(state, character)) * characters_ + character];
  }

  int states_, characters_;
  std::vector<double> after_blank_, after_;
};

class Search {
 public:
  Search(const Problem& problem, int beam, const Worth* worth)
      : p_(problem), beam_(beam), worth_(worth), prefixes_{{0, 1.0, 0.0, 0, 0.0}} {}

  void run() {
    for (int step = 0; step < p_.steps; step++) {
      const double* likely = p_.at(step);
      likely_.clear();
      for (int c = 0; c < p_.classes - 1; c++) {
        if (likely[c] != 0) likely_.push_back(c);
      }
      if (likely_.empty()) {
        for (Prefix& x : prefixes_) x.blank = p_.blank(step) * (x.blank + x.own), x.own = 0;
      } else {
        grow(step);
        keep(step + 1);
      }
      rescale();
    }
  }

  // Writes each text that fits, its length and the ln of its probability; returns how many.
  int write(uint8_t* texts, int32_t* lengths, double* logs) const {
    int count = 0;
    for (const Prefix& x : prefixes_) {
      if (!p_.final[x.state] || x.node == 0 || !(x.blank + x.own > 0)) continue;
      lengths[count] = texts_.write(x.node, texts + std::size_t(count) * p_.steps);
      logs[count++] = std::log(x.blank + x.own) + scale_;
    }
    return count;
  }

 private:
  void grow(int step) {
    grown_.clear();
    for (const Prefix& x : prefixes_) {
      const double both = x.blank + x.own;
      const int last = texts_.character(x.node);
      double stays = 0;
      for (int c : likely_) {
        const double probability = p_.at(step)[c];
        if (c == last) stays = x.own * probability;
        const double comes = (c == last ? x.blank : both) * probability;
        if (comes == 0 || c >= p_.characters) continue;
        const int64_t state = p_.after(x.state, c);
        if (state == p_.states - 1) continue;
        find(texts_.longer(x.node, c), state, step)->own += comes;
      }
      Prefix* same = find(x.node, x.state, step);
      same->blank += both * p_.blank(step);
      same->own += stays;
    }
    prefixes_.swap(grown_);
  }

  Prefix* find(int node, int64_t state, int step) {
    int* place = texts_.place(node, step);
    if (*place < 0) {
      *place = int(grown_.size());
      grown_.push_back({node, 0, 0, state, 0});
    }
    return &grown_[*place];
  }

  void keep(int step) {
    double most = 0;
    for (Prefix& x : prefixes_) {
      x.worth = worth_ ? worth_->of(texts_, x, step) : x.blank + x.own;
      most = std::max(most, x.worth);
    }
    const auto faint = [&](const Prefix& x) { return !(x.worth > kFaint * most); };
    prefixes_.erase(std::remove_if(prefixes_.begin(), prefixes_.end(), faint), prefixes_.end());
    if (int(prefixes_.size()) <= beam_) return;
    const auto better = [](const Prefix& x, const Prefix& y) { return x.worth > y.worth; };
    std::stable_sort(prefixes_.begin(), prefixes_.end(), better);
    prefixes_.resize(beam_);
  }

  void rescale() {
    double most = 0;
    for (const Prefix& x : prefixes_) most = std::max(most, x.blank + x.own);
    if (!(most > 0 && most < kTiny)) return;
    for (Prefix& x : prefixes_) x.blank /= most, x.own /= most;
    scale_ += std::log(most);
  }

  const Problem& p_;
  int beam_;
  const Worth* worth_;
  Texts texts_;
  std::vector<Prefix> prefixes_, grown_;
  std::vector<int> likely_;
  double scale_ = 0;
};

}  // namespace

// Returns how many texts fit, at most `beam`, or -1 without memory. `texts` is (beam, steps).
HOLMDEL_PUBLIC int holmdel_search(const double* probabilities, int steps, int classes,
                                  const int64_t* table, int states, int characters,
                                  const uint8_t* final, int look_ahead, int beam, uint8_t* texts,
                                  int32_t* lengths, double* logs) try {
  const Problem problem{probabilities, steps, classes, table, states, characters, final};
  std::vector<Worth> worth;
  if (look_ahead) worth.emplace_back(problem);
  Search search(problem, beam, look_ahead ? &worth[0] : nullptr);
  search.run();
  return search.write(texts, lengths, logs);
} catch (const std::exception&) {
  return kNoMemory;
}

// Writes for each step the place in the best alignment of `count` places, every other one a blank;
// `values` (steps, classes) are ln of probabilities. Returns -1 without memory.
HOLMDEL_PUBLIC int holmdel_align(const double* values, int steps, int classes,
                                 const int32_t* places, int count, int32_t* path) try {
  const double never = -std::numeric_limits<double>::infinity();
  std::vector<double> scores(count, never), following(count);
  std::vector<int32_t> came(std::size_t(steps) * count);
  for (int step = 0; step < steps; step++) {
    const double* value = values + std::size_t(step) * classes;
    for (int i = 0; i < count; i++) {
      int best = i;
      if (step == 0) {
        following[i] = i < 2 ? value[places[i]] : never;
      } else {
        if (i > 0 && scores[i - 1] > scores[best]) best = i - 1;
        if (i > 1 && i % 2 && places[i] != places[i - 2] && scores[i - 2] > scores[best]) {
          best = i - 2;
        }
        following[i] = scores[best] + value[places[i]];
      }
      came[std::size_t(step) * count + i] = best;
    }
    scores.swap(following);
  }
  int at = count - 1;
  if (count > 1 && scores[at - 1] > scores[at]) at--;
  for (int step = steps; step-- > 0;) {
    path[step] = at;
    at = came[std::size_t(step) * count + at];
  }
  return 0;
} catch (const std::exception&) {
  return kNoMemory;
}
