// A strong definition of what tentative.c has weakly, and a larger one of its tentative one.
int tentative[4] = {1, 2, 3, 4};
int replaced(void) { return 1000; }
