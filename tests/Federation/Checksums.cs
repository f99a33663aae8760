using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;

namespace Pelican.Federation;

/// <summary>Digests, big-endian, by their wire names. Made with a plain loop each, to check faster ones against.</summary>
public static class Checksums
{
    /// <summary>Names that <see cref="Of"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = ["crc32c", "md5", "adler32", "crc32", "sha", "unixcksum"];

    /// <summary>The digest of some bytes.</summary>
    [SuppressMessage("Security", "CA5350", Justification = "sha is the wire's name of SHA-1, not a protection")]
    [SuppressMessage("Security", "CA5351", Justification = "md5 is the wire's digest, not a protection")]
    public static byte[] Of(string name, ReadOnlySpan<byte> bytes) => name switch
    {
        "crc32c" => BigEndian(Reflected(0x82F63B78, bytes)),
        "crc32" => BigEndian(Reflected(0xEDB88320, bytes)),
        "adler32" => BigEndian(Adler32(bytes)),
        "unixcksum" => BigEndian(PosixCksum(bytes)),
        "md5" => MD5.HashData(bytes),
        "sha" => SHA1.HashData(bytes),
        _ => throw new ArgumentException($"no digest is called '{name}'", nameof(name)),
    };

    /// <summary>As RFC 3230 writes it: md5 and sha in base64, the others in hexadecimal.</summary>
    public static string Text(string name, byte[] digest) =>
        name is "md5" or "sha" ? Convert.ToBase64String(digest) : Convert.ToHexStringLower(digest);

    /// <summary>A <c>Digest</c> header value such as <c>crc32c=e3069283</c>.</summary>
    public static string Header(string name, ReadOnlySpan<byte> bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}={Text(name, Of(name, bytes))}");

    private static byte[] BigEndian(uint value)
    {
        byte[] bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, value);
        return bytes;
    }

    private static uint Reflected(uint polynomial, ReadOnlySpan<byte> bytes)
    {
        Span<uint> table = stackalloc uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value & 1) != 0 ? (value >> 1) ^ polynomial : value >> 1;
            }

            table[(int)i] = value;
        }

        uint crc = ~0u;
        foreach (byte b in bytes)
        {
            crc = (crc >> 8) ^ table[(int)((crc ^ b) & 0xFF)];
        }

        return ~crc;
    }

    private static uint Adler32(ReadOnlySpan<byte> bytes)
    {
        uint a = 1;
        uint b = 0;
        foreach (byte value in bytes)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }

        return (b << 16) | a;
    }

    /// <summary>The <c>cksum</c> of POSIX, which XRootD 5.8 calls crc32 (xrootd.md 5).</summary>
    private static uint PosixCksum(ReadOnlySpan<byte> bytes)
    {
        uint crc = 0;
        foreach (byte b in bytes)
        {
            crc = Shift(crc, b);
        }

        for (ulong length = (ulong)bytes.Length; length != 0; length >>= 8)
        {
            crc = Shift(crc, (byte)length);
        }

        return ~crc;

        static uint Shift(uint crc, byte next)
        {
            crc ^= (uint)next << 24;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 0x80000000) != 0 ? (crc << 1) ^ 0x04C11DB7 : crc << 1;
            }

            return crc;
        }
    }
}
