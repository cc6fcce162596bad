#include "state/variable_limits.h"

#include <atomic>

namespace state {
namespace {

constexpr std::size_t kOverhead = 64;  // of each variable, beside its text
VariableLimits limits;
bool limited = false;
bool counted = false;               // a limit spans what several workers hold
std::atomic<std::size_t> taken{0};  // by all variables, where that is counted

std::size_t cost(const OwnedValue* value) {
  return value == nullptr || value->empty() ? 0 : kOverhead + value->bytes();
}

std::size_t bytes_of(const Variables* variables) {
  if (variables == nullptr) return 0;
  std::size_t sum = 0;
  for (const Variables::Entry& e : variables->entries()) sum += cost(&e.value);
  return sum;
}

bool within(std::size_t limit, std::size_t bytes) { return limit == 0 || bytes <= limit; }

// Whether `scope`, held by `target`, may grow by this much.
bool may_grow(Scope scope, std::size_t more, const Variables& target,
              const VariableHolders& holders) {
  const bool of_message = scope == Scope::request || scope == Scope::response;
  if (of_message && !within(limits.message, bytes_of(&target) + more)) return false;
  if (scope == Scope::check && !within(limits.check, bytes_of(&target) + more)) return false;
  if (of_message || scope == Scope::transaction || scope == Scope::session) {
    const std::size_t exchange = bytes_of(holders.transaction) + bytes_of(holders.request) +
                                 bytes_of(holders.response) + more;
    if (scope != Scope::session && !within(limits.transaction, exchange)) return false;
    if (!within(limits.session, exchange + bytes_of(holders.session))) return false;
  }
  const std::size_t all = taken.load(std::memory_order_relaxed) + more;
  return within(limits.process, all) && within(limits.all, all);
}

}  // namespace

void limit_variables(const VariableLimits& wanted) {
  limits = wanted;
  counted = limits.all != 0 || limits.process != 0;
  limited = counted || limits.session != 0 || limits.transaction != 0 || limits.message != 0 ||
            limits.check != 0;
}

bool set_within_limits(VariableName name, const Value& value, Variables& target,
                       const VariableHolders& holders) {
  if (limited && name.id != 0) {
    const std::size_t had = cost(target.get(name.id));
    const OwnedValue kept(value);
    const std::size_t has = cost(&kept);
    if (has > had && !may_grow(name.scope, has - had, target, holders)) return false;
    if (counted) taken.fetch_add(has - had, std::memory_order_relaxed);
  }
  target.set(name.id, value);
  return true;
}

bool unset_counted(std::uint32_t id, Variables& target) {
  if (counted) taken.fetch_sub(cost(target.get(id)), std::memory_order_relaxed);
  return target.unset(id);
}

void release_counted(const Variables& holder) {
  if (counted) taken.fetch_sub(bytes_of(&holder), std::memory_order_relaxed);
}

}  // namespace state
