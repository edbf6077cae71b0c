// What forms.c shares names with.
int outer_data[8] = {1, 2, 3};
int shared_tentative[2];
__attribute__((weak)) int maybe(int x) { return x + 1; }
int outside(int x) { return x + outer_data[1] + maybe(x) + shared_tentative[0]; }
static int hidden[4] = {9, 8};
int *of_others(void) { return hidden; }
__attribute__((section("__DATA,__marks"), used)) static int *mark = &hidden[3];
const char *same(void) { return "shared tail"; }
