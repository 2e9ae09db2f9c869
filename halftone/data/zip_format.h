// Constants of the ZIP format (PKWARE's APPNOTE.TXT, sections 4.3 to 4.5) that reading and writing share.
#pragma once

#include <cstddef>
#include <cstdint>

namespace halftone::data::zip_format {

inline constexpr std::uint32_t kLocalSignature = 0x04034b50;
inline constexpr std::uint32_t kCentralSignature = 0x02014b50;
inline constexpr std::uint32_t kEndSignature = 0x06054b50;
inline constexpr std::uint32_t kZip64EndSignature = 0x06064b50;
inline constexpr std::uint32_t kZip64LocatorSignature = 0x07064b50;

inline constexpr std::size_t kEndBytes = 22;
inline constexpr std::size_t kZip64EndBytes = 56;
inline constexpr std::size_t kZip64LocatorBytes = 20;

inline constexpr std::uint16_t kZip64Extra = 1;
inline constexpr std::uint16_t kStored = 0;
inline constexpr std::uint16_t kDeflated = 8;
inline constexpr std::uint16_t kEncryptedFlag = 1;
inline constexpr std::uint16_t kUtf8Flag = 1 << 11;

// In these fields the largest value means "see the zip64 record".
inline constexpr std::uint16_t kSee16 = 0xffff;
inline constexpr std::uint32_t kSee32 = 0xffffffff;

}  // namespace halftone::data::zip_format
