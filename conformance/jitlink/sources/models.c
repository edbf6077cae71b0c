// References of every kind that C can make, compiled in each code model: to functions, data, constants, labels and
// thread-locals; here and elsewhere, visible and hidden, weak and common.
extern int elsewhere, elsewhere_table[64];
extern int function_elsewhere(int, const char *);
extern int weak_elsewhere(int) __attribute__((weak));
__attribute__((visibility("hidden"))) extern int hidden_elsewhere;
__attribute__((visibility("hidden"))) int hidden_function(int);

int here = 7;
int zero;
int common_or_zero[100];
const int constants[16] = {1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233, 377, 610, 987, 1597};
static int own = 9;
static int own_table[300] = {4, 3, 2, 1};
static const double factors[4] = {0.25, 1.5, 2.75, 3.125};
__attribute__((visibility("hidden"))) int hidden_here = 11;
__attribute__((weak)) int weak_here(int x) { return x + own; }
__attribute__((visibility("protected"))) int protected_here(int x) { return x * here; }

static __attribute__((noinline)) int own_function(int x) { return x ^ own_table[x & 63]; }

// Addresses in data, with and without an addend.
int *pointers[] = {&here, &own, &own_table[17], &elsewhere, &elsewhere_table[9], &common_or_zero[3], &hidden_here};
int (*functions[])(int) = {weak_here, own_function, weak_elsewhere, protected_here, hidden_function};
const char *const texts[] = {"one", "two", "three", "a longer text that is not merged with others", "two"};

// A switch that becomes a table of labels or of calls.
int choose(int which, int x) {
  switch (which) {
  case 0: return function_elsewhere(x, "zero");
  case 1: return own_function(x) + hidden_elsewhere;
  case 2: return weak_here(x) - hidden_here;
  case 3: return elsewhere_table[x & 63];
  case 4: return (int)(x * factors[x & 3]);
  case 5: return constants[x & 15] + hidden_function(x);
  case 6: return zero += x;
  case 7: return protected_here(x) + common_or_zero[x & 31];
  case 8: return functions[x & 3](x);
  case 9: return texts[x & 3][0];
  default: return which;
  }
}

// Labels whose addresses are taken.
int jump(int x) {
  static void *const labels[] = {&&first, &&second, &&third};
  int sum = 0;
  goto *labels[x & 1];
first:
  sum += own;
second:
  sum += elsewhere;
  if (sum < 100) goto *labels[2];
third:
  return sum + here;
}

// Bytes, halves, quads and vectors: each has loads and stores of its own.
unsigned char octets[33];
unsigned short halves[17];
unsigned long long quads[9];
typedef float four __attribute__((vector_size(16)));
four vectors[5];
float single;
double twice;

void widths(int x) {
  octets[7]++;
  halves[3] += octets[9];
  quads[2] += halves[4] + quads[5];
  vectors[1] += vectors[2] * single;
  single += 2.5f;
  twice = twice * 3.0000001 + single;
  octets[x & 31] = 3;
}

// Places far from the start of a symbol, before it and behind it.
int *behind(void) { return &own_table[299] + 1; }
int *before(int x) { return &elsewhere_table[x - 70]; }
char *far_in(void) { return (char *)elsewhere_table + 0x12345; }

int call_weak(int x) { return weak_elsewhere ? weak_elsewhere(x) : choose(x, own); }
int tail_call(int x) { return function_elsewhere(x + 1, texts[0]); }

#ifdef THREAD_LOCALS
__thread int local_here = 5;
extern __thread int local_elsewhere;
static __thread int local_own;
int thread_locals(int x) {
  local_own += x;
  return local_here++ + local_elsewhere + local_own;
}
#endif
