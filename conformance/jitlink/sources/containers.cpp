// What templates, exceptions, virtual calls and function statics make: many small COMDAT sections, unwind tables with
// personalities and LSDAs, tables of virtual functions, type information.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace {

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
  virtual std::string name() const { return "shape"; }
};

struct Named {
  std::string called = "nothing";
  virtual std::string told() const { return called; }
  virtual ~Named() = default;
};

struct Square : Shape, Named {
  double side = 1;
  double area() const override { return side * side; }
  std::string name() const override { return "square"; }
  std::string told() const override { return "told " + called; }
};

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

using Value = std::variant<int, std::string, std::vector<double>>;

} // namespace

std::map<std::string, int> words_of(const std::string &text) {
  std::map<std::string, int> counts;
  std::istringstream in(text);
  for (std::string word; in >> word;) ++counts[word];
  if (counts.empty()) throw Failure("no words");
  return counts;
}

int guarded(const std::string &text) {
  try {
    return static_cast<int>(words_of(text).size());
  } catch (const Failure &failure) {
    return -static_cast<int>(std::string(failure.what()).size());
  } catch (const std::exception &) {
    return -1000;
  }
}

std::vector<std::unique_ptr<Shape>> make_shapes(int count) {
  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 0; i < count; i++) shapes.push_back(std::make_unique<Square>());
  return shapes;
}

double total(const std::vector<std::unique_ptr<Shape>> &shapes, const std::function<double(double)> &change) {
  static const std::set<std::string> known{"square", "circle"};
  double sum = 0;
  for (const auto &shape : shapes)
    if (known.count(shape->name()) != 0) sum += change(shape->area());
  if (auto *named = shapes.empty() ? nullptr : dynamic_cast<Named *>(shapes.front().get())) sum += named->told().size();
  return sum;
}

std::string describe(const Value &value) {
  return std::visit(
      [](const auto &held) -> std::string {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, int>) return std::to_string(held);
        else if constexpr (std::is_same_v<Held, std::string>) return held;
        else return std::to_string(held.size());
      },
      value);
}

std::unordered_map<int, std::string> index_of(std::vector<std::string> texts) {
  std::sort(texts.begin(), texts.end(), [](const auto &a, const auto &b) { return a.size() < b.size() || a < b; });
  std::unordered_map<int, std::string> index;
  for (auto &text : texts) index.emplace(static_cast<int>(index.size()), std::move(text));
  return index;
}
