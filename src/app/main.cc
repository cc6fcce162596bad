// The process: command line, configuration, start, signals, end.
#include <cstdio>

int main(int, char** argv) {
  std::fprintf(stderr, "%s: no section of the configuration is assembled yet\n", argv[0]);
  return 1;
}
