// Plain C in the same library: tentative definitions, a weak function that another source may replace, computed jumps.
int tentative[4];
int tentative_size[100];
__attribute__((weak)) int replaced(void) { return 1; }
static _Thread_local int own = 3;
_Thread_local int shared_own = 4;

int sum_own(int more) { return own += more + shared_own + replaced(); }

int run(const char *program) {
  static const void *const steps[] = {&&end, &&add, &&twice};
  int value = tentative[0] + tentative_size[99];
  goto *steps[(int)*program];
add: value++; goto *steps[(int)*++program];
twice: value *= 2; goto *steps[(int)*++program];
end: return value;
}
