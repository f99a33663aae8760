namespace Pelican.Transfer;

/// <summary>One digest as a server named it; XRootD sometimes means another one than it says (xrootd.md 5, 12.2).</summary>
/// <param name="Algorithm">The algorithm named.</param>
/// <param name="Value">The bytes; their number need not fit the algorithm.</param>
internal sealed record ServerDigest(ChecksumAlgorithm Algorithm, byte[] Value);

/// <summary>Reads <c>Digest</c> (RFC 3230) in all the forms that servers write.</summary>
internal static class DigestHeader
{
    /// <summary>Every digest of a known algorithm, in the order given; hexadecimal or base64, leading zeros optional.</summary>
    public static List<ServerDigest> Read(HttpResponseMessage response)
    {
        List<ServerDigest> digests = [];
        if (!response.Headers.TryGetValues("Digest", out IEnumerable<string>? lines)
            && !response.Content.Headers.TryGetValues("Digest", out lines))
        {
            return digests;
        }

        foreach (string item in lines.SelectMany(line => line.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)))
        {
            int equals = item.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0 && Algorithm(item[..equals]) is { } algorithm && Value(algorithm, item[(equals + 1)..]) is { } value)
            {
                digests.Add(new ServerDigest(algorithm, value));
            }
        }

        return digests;
    }

    /// <summary>Whether there is one at all.</summary>
    public static bool IsThere(HttpResponseMessage response) =>
        response.Headers.NonValidated.Contains("Digest") || response.Content.Headers.NonValidated.Contains("Digest");

    /// <summary>The algorithm of a wire name; null when it is none of ours.</summary>
    public static ChecksumAlgorithm? Algorithm(string name) => name.Trim().ToLowerInvariant() switch
    {
        "crc32c" => ChecksumAlgorithm.Crc32c,
        "adler32" => ChecksumAlgorithm.Adler32,
        "md5" => ChecksumAlgorithm.Md5,
        "crc32" => ChecksumAlgorithm.Crc32,
        "sha" or "sha1" or "sha-1" => ChecksumAlgorithm.Sha1,
        _ => null,
    };

    internal static byte[]? Value(ChecksumAlgorithm algorithm, string text)
    {
        text = text.Trim().Trim('"');
        int length = Checksum.Length(algorithm);
        bool hexadecimal = text.Length > 0 && text.All(char.IsAsciiHexDigit);
        if (hexadecimal && text.Length == length * 2)
        {
            return Convert.FromHexString(text);
        }

        // Base64 is a multiple of four; four bytes are 8 characters that end in "==", which no hexadecimal does.
        byte[] decoded = new byte[text.Length];
        if (text.Length % 4 == 0 && Convert.TryFromBase64String(text, decoded, out int count) && (count == length || text.EndsWith('=')))
        {
            return decoded[..count];
        }

        return hexadecimal && length == 4 && text.Length < 8 ? Convert.FromHexString(text.PadLeft(8, '0')) : null;
    }
}
