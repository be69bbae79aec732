// Inflating with zlib's streams rather than its gzFile, which takes bytes after the end for nothing.
#include "cnn/data/byte_stream.hpp"

#include <algorithm>

#include "formats/format_error.hpp"

namespace cnn {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18;
constexpr int kGzipOnly = 16 + MAX_WBITS;
// What zlib's documentation gives as deflate's best ratio, 1032 to 1, and some room for the header.
constexpr std::uint64_t kBestRatio = 1032;

}  // namespace

ByteStream::ByteStream(const std::filesystem::path& file) : file_(file), buffer_(kBufferBytes) {
  refill();
  compressed_ = end_ >= 2 && buffer_[0] == 0x1f && buffer_[1] == 0x8b;
  if (compressed_ && inflateInit2(&stream_, kGzipOnly) != Z_OK)
    throw formats::FormatError(path(), "can't be inflated: zlib can't be set up");
}

ByteStream::~ByteStream() {
  if (compressed_) inflateEnd(&stream_);
}

std::uint64_t ByteStream::most_bytes() const {
  return compressed_ ? file_.size() * kBestRatio : file_.size();
}

std::size_t ByteStream::read(std::span<std::uint8_t> destination) {
  return compressed_ ? read_compressed(destination) : read_plain(destination);
}

bool ByteStream::refill() {
  begin_ = 0;
  end_ = file_.read(std::as_writable_bytes(std::span(buffer_)));
  return end_ > 0;
}

std::size_t ByteStream::read_plain(std::span<std::uint8_t> destination) {
  std::size_t done = 0;
  while (done < destination.size() && (begin_ < end_ || refill())) {
    const std::size_t count = std::min(destination.size() - done, end_ - begin_);
    std::copy_n(buffer_.data() + begin_, count, destination.data() + done);
    begin_ += count;
    done += count;
  }
  return done;
}

std::size_t ByteStream::read_compressed(std::span<std::uint8_t> destination) {
  std::size_t done = 0;
  while (done < destination.size() && !finished_) {
    if (begin_ == end_ && !refill()) {
      if (!between_members_)
        throw formats::FormatError(path(), "is truncated: its compressed data has no end");
      finished_ = true;
      break;
    }
    if (between_members_ && inflateReset(&stream_) != Z_OK)
      throw formats::FormatError(path(), "can't be inflated: zlib can't be set up");
    between_members_ = false;
    constexpr std::size_t kMost = std::size_t{1} << 30;  // zlib counts in 32 bits
    const std::size_t room = std::min(destination.size() - done, kMost);
    stream_.next_in = buffer_.data() + begin_;
    stream_.avail_in = static_cast<uInt>(end_ - begin_);
    stream_.next_out = destination.data() + done;
    stream_.avail_out = static_cast<uInt>(room);
    const int status = inflate(&stream_, Z_NO_FLUSH);
    begin_ = end_ - stream_.avail_in;
    done += room - stream_.avail_out;
    between_members_ = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
      throw formats::FormatError(path(), std::string("is damaged: its compressed data can't be inflated (") +
                                             (stream_.msg != nullptr ? stream_.msg : "no reason given") +
                                             ")");
  }
  return done;
}

}  // namespace cnn
