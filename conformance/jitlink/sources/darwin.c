// References of every kind that C can make on Apple's systems: to functions, data, constants and labels; here and
// elsewhere, visible and hidden, weak and common; operands with immediates behind them.
extern int elsewhere, elsewhere_table[64];
extern char byte_elsewhere;
extern short short_elsewhere;
extern int function_elsewhere(int, const char *);
extern int weak_elsewhere(int) __attribute__((weak_import));
__attribute__((visibility("hidden"))) extern int hidden_elsewhere;
__attribute__((visibility("hidden"))) int hidden_function(int);

int here = 7;
int zero;
int common_or_zero[100];
char byte_here;
short short_here;
const int constants[16] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597};
static int own = 9;
static int own_table[300] = {4, 3, 2, 1};
static const double factors[4] = {0.25, 1.5, 2.75, 3.125};
__attribute__((visibility("hidden"))) int hidden_here = 11;
__attribute__((weak)) int weak_here(int x) { return x + own; }
static __attribute__((noinline)) int own_function(int x) { return x ^ own_table[x & 63]; }

int *pointers[] = {&here, &own, &own_table[17], &elsewhere, &elsewhere_table[9], &common_or_zero[3], &hidden_here};
int (*functions[])(int) = {weak_here, own_function, weak_elsewhere, hidden_function};
const char *const texts[] = {"one", "two", "three", "a longer text that is not merged with others", "two"};

int choose(int which, int x) {
  switch (which) {
  case 0: return function_elsewhere(x, "zero");
  case 1: return own_function(x) + hidden_elsewhere;
  case 2: return weak_here(x) - hidden_here;
  case 3: return elsewhere_table[x & 63];
  case 4: return (int)(x * factors[x & 3]);
  case 5: return constants[x & 15] + hidden_function(x);
  case 6: return zero += x;
  case 7: return common_or_zero[x & 31];
  case 8: return functions[x & 3](x);
  case 9: return texts[x & 3][0];
  default: return which;
  }
}

// Operands with an immediate of one, two and four bytes behind them, near and elsewhere.
void immediates(void) {
  byte_here = 3;
  short_here = 0x1234;
  here = 0x12345678;
  own = 5;
  byte_elsewhere = 3;
  short_elsewhere = 0x1234;
  elsewhere = 0x12345678;
  if (byte_here == 9 || hidden_here > 100000) own_table[3]++;
}

int jump(int x) {
  static void *const labels[] = {&&first, &&second, &&third};
  int sum = 0;
  goto *labels[x & 1];
first:
  sum += own;
second:
  sum += here;
  if (x > 0) goto *labels[2];
third:
  return sum + (int)(x * 3.25) + (int)(x * 17.5f);
}
