// The bytes of each request, with the fields of templates filled in.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "load/issuer.h"
#include "load/load_spec.h"

namespace mpsbench {

// Fills a copy of its own in place, so that no request allocates. The same request always has the same bytes; so one
// that was sent in part goes on where it stopped, whatever was sent meanwhile. Thread: worker.
class RequestTexts {
 public:
  // `spec` outlives it.
  explicit RequestTexts(const LoadSpec& spec);

  // Good until the next call.
  [[nodiscard]] std::string_view of(const DueRequest& due);

 private:
  const LoadSpec& spec_;
  // By body; empty for a request that is no template.
  std::vector<std::string> copies_;
};

// Writes the field of that request's text to `at`, which has room for its width.
void fill_field(const TemplateField& field, std::uint64_t template_stream, std::uint64_t number, char* at);

}  // namespace mpsbench
