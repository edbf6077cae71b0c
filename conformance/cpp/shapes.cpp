// The other half of the C++ library: key functions, thread-locals with constructors, throwing across objects.
#include "shapes.h"

Shape::~Shape() {}
thread_local std::string per_thread_text = std::string("t") + std::to_string(per_thread);

struct Second { Second() { order[order_count++] = 2; } };
static Second second;

struct Circle : virtual Shape {
  int area() const override { return twice(3); }
};

int fail_deep(int depth, int code) {
  if (depth > 0) return fail_deep(depth - 1, code) + 1;
  switch (code) {
    case 1: throw Trouble("trouble", 41);
    case 2: throw std::out_of_range("range");
    case 3: throw 7;
    default: return code;
  }
}

Shape *make_shape(const std::string &name, int size) {
  counter()++;
  if (name == "square") return new Square(size);
  return new Circle();
}

std::map<std::string, int> &registry() {
  static std::map<std::string, int> all = {{"one", 1}, {"two", 2}};
  return all;
}
