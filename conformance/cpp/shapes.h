// What both sources of the C++ library share: inline functions, templates, a class with virtual functions, all of which
// each source emits anew and the linker keeps once.
#pragma once
#include <cstddef>
#include <map>
#include <stdexcept>
#include <string>

struct Shape {
  virtual ~Shape();
  virtual int area() const = 0;
  virtual std::string name() const { return "shape"; }
};

struct Square : virtual Shape {
  int side;
  explicit Square(int side) : side(side) {}
  int area() const override { return side * side; }
  std::string name() const override { return "square"; }
};

struct Trouble : std::runtime_error {
  int code;
  Trouble(const std::string &text, int code) : std::runtime_error(text), code(code) {}
};

template <typename T> T twice(T value) {
  static int calls = 0;
  calls++;
  return value + value + (calls > 1000000 ? value : T());
}

inline int &counter() {
  static int count = 100;
  return count;
}

inline thread_local int per_thread = 5;
extern thread_local std::string per_thread_text;
extern int order[8], order_count;
__attribute__((visibility("hidden"))) int fail_deep(int depth, int code);
Shape *make_shape(const std::string &name, int size);
std::map<std::string, int> &registry();
