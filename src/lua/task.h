// Functions that scripts asked to have called when the process starts.
#pragma once

namespace lua {

class State;

struct WaitingTask {
  State& state;
  int reference;  // a table: the function, its arguments, n
};

void run_waiting_task(const WaitingTask& task);

}  // namespace lua
