#include "load/parse_fault.h"

namespace mpsbench {

const char* fault_text(ParseFault fault) {
  switch (fault) {
    case ParseFault::kStatusLine:
      return "the reply does not start with an HTTP/1.x status line";
    case ParseFault::kHeaderLine:
      return "a header line of the reply is malformed";
    case ParseFault::kHeadTooLong:
      return "the head of the reply is over 32 KiB";
    case ParseFault::kContentLength:
      return "Content-Length of the reply is no length, or given twice";
    case ParseFault::kTransferEncoding:
      return "Transfer-Encoding of the reply does not end in chunked";
    case ParseFault::kLengthAndEncoding:
      return "the reply has both Content-Length and Transfer-Encoding";
    case ParseFault::kChunk:
      return "a chunk of the reply is malformed";
    case ParseFault::kSwitch:
      return "the server switched protocols unasked";
    default:
      return "";
  }
}

}  // namespace mpsbench
