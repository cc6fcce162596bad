#include "admin/stat_table.h"

namespace admin {

// JSON Schema of what "show stat json" and "show info json" print.
std::string stat_schema() {
  return R"({"$schema":"http://json-schema.org/draft-04/schema#","oneOf":[)"
         R"({"title":"Info","type":"array","items":{"$ref":"#/definitions/item"}},)"
         R"({"title":"Stat","type":"array","items":{"type":"array","items":{"$ref":"#/definitions/item"}}}],)"
         R"("definitions":{"item":{"type":"object","properties":{)"
         R"("objType":{"enum":["Frontend","Backend","Listener","Server"]},)"
         R"("proxyId":{"type":"integer","minimum":0},"id":{"type":"integer","minimum":0},)"
         R"("field":{"type":"object","properties":{"pos":{"type":"integer","minimum":0},)"
         R"("name":{"type":"string"}},"required":["pos","name"]},)"
         R"("processNum":{"type":"integer","minimum":1},)"
         R"("tags":{"type":"object","properties":{"origin":{"type":"string"},"nature":{"type":"string"},)"
         R"("scope":{"type":"string"}},"required":["origin","nature","scope"]},)"
         R"("value":{"type":"object","properties":{"type":{"enum":["s32","s64","u32","u64","str","flt"]},)"
         R"("value":{"type":["integer","number","string"]}},"required":["type","value"]}},)"
         R"("required":["field","processNum","tags","value"]}}})"
         "\n";
}

}  // namespace admin
