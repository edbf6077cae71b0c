// What C++ adds: tables of virtual functions, exceptions with their tables, statics that are made at the start, and what
// several objects may define.
extern "C" void may_throw(int);
struct shape {
  virtual ~shape() {}
  virtual int area() const { return 1; }
};
struct square : shape {
  int side;
  explicit square(int s) : side(s) {}
  int area() const override { return side * side; }
};
template <class T> __attribute__((noinline)) T twice(const T &x) { return x + x; }
struct guard {
  int *count;
  ~guard() { --*count; }
};
int counter;
square first(3);
int guarded(int x) {
  guard here{&counter};
  try {
    may_throw(x);
    return twice(x);
  } catch (int e) {
    return e + twice(1L);
  } catch (...) {
    return first.area();
  }
}
int areas(const shape *const *all, int n) {
  int sum = first.area();
  for (int i = 0; i < n; i++) sum += all[i]->area();
  return sum;
}
shape *make(int s) { return new square(s); }
inline int shared_value() {
  static int value = twice(counter);
  return value;
}
int use() { return shared_value() + 1; }
