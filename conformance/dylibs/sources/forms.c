// What C objects for macOS have: thread-locals, commons, literals, jump tables, weak and hidden names, constructors,
// pointers into the middle, edges of sections.
extern int outside(int);
extern int outer_data[8];
extern int perhaps(int) __attribute__((weak_import));
_Thread_local int counter = 5;
_Thread_local long fresh[3];
static _Thread_local int own = 2;
static int hidden[4] = {1, 2, 3, 4};
__attribute__((visibility("hidden"))) int kept_inside = 3;
__attribute__((weak)) int maybe(int x) { return x; }
int tentative[6];
int shared_tentative[2];
static volatile int begun;
__attribute__((constructor)) static void begin(void) { begun = outside(1); }
__attribute__((section("__DATA,__marks"), used)) static int *mark = &hidden[1];
extern int *marks_start __asm("section$start$__DATA$__marks");
extern int *marks_end __asm("section$end$__DATA$__marks");
extern char handle __asm("___dso_handle");
const char *text(int x) { return x ? "shared tail" : "tail"; }
double mix(double x) { return x * 3.25 + 1.5; }
float mix_short(float x) { return x * 7.125f; }
void *table[] = {&hidden[2], (void *)text, &outer_data[3], (void *)maybe, (void *)outside, (char *)&tentative[5] + 1};
const void *const constant[] = {&hidden[1], (void *)text, "words", "shared tail"};
long marks(void) { return (&marks_end - &marks_start) + (long)&handle; }
int sum(void) { return counter + (int)fresh[1] + own + begun + tentative[2] + shared_tentative[1] + outer_data[2]; }
int work(int l, int c) {
  switch (c) {
    case 0: return outside(3);
    case 1: return sum();
    case 2: return 17;
    case 3: return outside(9) + maybe(l) + (perhaps ? perhaps(2) : 0);
    case 4: return tentative[l];
    case 5: return kept_inside;
    case 6: return mark[l];
    case 7: return (int)mix(l) + (int)mix_short(l);
  }
  return hidden[c & 3];
}
