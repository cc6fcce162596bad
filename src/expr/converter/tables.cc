#include "expr/converter/tables.h"

namespace expr::converter {

void add_tables(Catalogue& catalogue) {
  catalogue.add(address_converters());
  catalogue.add(crypto_converters());
  catalogue.add(date_converters());
  catalogue.add(debug_converters());
  catalogue.add(encode_converters());
  catalogue.add(fix_converters());
  catalogue.add(forwarded_converters());
  catalogue.add(hash_converters());
  catalogue.add(json_converters());
  catalogue.add(json_query_converters());
  catalogue.add(jwe_converters());
  catalogue.add(jwt_converters());
  catalogue.add(language_converters());
  catalogue.add(map_converters());
  catalogue.add(mqtt_converters());
  catalogue.add(number_converters());
  catalogue.add(packet_converters());
  catalogue.add(process_converters());
  catalogue.add(protobuf_converters());
  catalogue.add(regsub_converters());
  catalogue.add(stick_converters());
  catalogue.add(text_converters());
  catalogue.add(unavailable_converters());
  catalogue.add(variable_converters());
  catalogue.add(x509_converters());
}

}  // namespace expr::converter
