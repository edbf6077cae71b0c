// Another object with the functions and types that throws.cpp has.
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
Trouble::~Trouble() {}
template <class T> T twice(T x) { return x + x; }
inline int counted() {
  static int count = twice(20);
  return ++count;
}
extern "C" int may_throw(int x) {
  if (x == 7) throw Trouble{twice(x) + counted()};
  Square square;
  return square.sides() + x;
}
