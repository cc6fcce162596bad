// Everything one configuration consists of: its text, its settings, what they mean, and what
// workers share while it runs. Built on the loading thread, immutable afterwards except for
// `registry`'s and `patterns`' run-time parts. Lives as long as any exchange that began under it.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "app/global/settings.h"
#include "config/source.h"
#include "expr/keyword.h"
#include "proxy/config.h"
#include "rules/action.h"
#include "state/patterns.h"
#include "state/registry.h"

namespace app {

class Scripts;

struct Generation {
  config::Tree tree;
  GlobalSettings settings;
  state::Registry registry;
  state::PatternSets patterns;
  expr::Catalogue expressions;
  rules::Catalogue actions;
  proxy::Config config;
  std::unique_ptr<Scripts> scripts;  // null: none are loaded

  Generation();
  ~Generation();
};

}  // namespace app
