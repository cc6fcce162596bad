// Counters that outlive a process: "dump stats-file" writes those of every object that has a guid,
// "stats-file" of the global section adds them to the counters of the next one (management guide,
// section 9.3). Reading: before traffic, by the main thread.
#pragma once

#include <string>
#include <string_view>

namespace state {
class Registry;
}

namespace admin {

std::string dump_stats_file(const state::Registry& registry);
// What it does not know it passes over.
void load_stats_file(std::string_view text, state::Registry& registry);

}  // namespace admin
