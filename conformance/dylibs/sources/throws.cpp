// What C++ objects for macOS have: exceptions with types, virtual functions and their types' descriptions, functions that
// several objects define, statics that are made at the first use.
struct Shape {
  virtual ~Shape() {}
  virtual int sides() const { return 0; }
};
struct Square : Shape {
  int sides() const override { return 4; }
};
struct Trouble {
  int code;
  ~Trouble();
};
template <class T> T twice(T x) { return x + x; }
inline int counted() {
  static int count = twice(20);
  return ++count;
}
struct Guard {
  int *place;
  ~Guard() { ++*place; }
};
extern "C" int may_throw(int);
Shape *made(int which) { return which ? new Square : new Shape; }
int caught(int x) {
  int cleaned = counted();
  try {
    Guard guard{&cleaned};
    if (may_throw(x) > 3) throw Trouble{x};
    if (x < 0) throw 5;
  } catch (const Trouble &trouble) {
    return trouble.code;
  } catch (int number) {
    return twice(number) + cleaned;
  }
  return cleaned;
}
int sides(Shape *shape) {
  if (Square *square = dynamic_cast<Square *>(shape)) return square->sides() + 1;
  return shape->sides();
}
