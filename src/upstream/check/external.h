// "option external-check": a program that is run and whose exit status decides.
#pragma once

#include <memory>

#include "upstream/check_rules.h"

namespace upstream {

std::shared_ptr<const CheckRules> make_external_rules(const BackendSettings& settings);

}  // namespace upstream
