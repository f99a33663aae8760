using System.Buffers;
using System.Globalization;
using System.Text;

namespace Pelican.Transfer;

/// <summary>
/// Path of an object or collection in a federation, absolute, kept as it goes on the wire: every byte but the
/// unreserved ones (RFC 3986 2.3) and the slash is escaped, once, with capitals (xrootd.md 9).
/// </summary>
internal readonly record struct ObjectPath
{
    private static readonly SearchValues<byte> Unreserved =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/"u8);

    private ObjectPath(string encoded) => Encoded = encoded;

    /// <summary>The root collection.</summary>
    public static ObjectPath Root { get; } = new("/");

    /// <summary>Percent-encoded form, beginning with a slash and, but for the root, not ending with one.</summary>
    public string Encoded { get; }

    /// <summary>Decoded form for people and for local names; bytes that are not UTF-8 show as U+FFFD.</summary>
    public string Decoded => Encoding.UTF8.GetString(DecodeBytes(Encoded));

    /// <summary>Last component, decoded; empty for the root.</summary>
    public string Name => Decoded[(Decoded.LastIndexOf('/') + 1)..];

    /// <summary>Takes a path as people and file systems spell it: nothing in it is an escape.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>: a component is <c>..</c>, or NUL occurs.</exception>
    public static ObjectPath FromPlain(string plain) => Normalise(Encoding.UTF8.GetBytes(plain), plain);

    /// <summary>Takes a path as URLs spell it: <c>%XX</c> is one byte; anything else stands for itself.</summary>
    /// <exception cref="PelicanException">
    /// <see cref="Errors.Parameter"/>: a <c>%</c> without two hexadecimal digits, a <c>..</c> component, or NUL.
    /// </exception>
    public static ObjectPath FromEscaped(string escaped) => Normalise(DecodeBytes(escaped), escaped);

    /// <summary>The collection it is in; null for the root.</summary>
    public ObjectPath? Parent => Encoded == "/" ? null : Encoded.LastIndexOf('/') is > 0 and int slash ? new ObjectPath(Encoded[..slash]) : Root;

    /// <summary>The child with this plain name.</summary>
    public ObjectPath Append(string plainName) => FromEscaped(Encoded + FromPlain(plainName).Encoded);

    /// <summary>Whether this path is <paramref name="prefix"/> or lies below it, by whole components.</summary>
    public bool IsBelow(ObjectPath prefix) =>
        prefix.Encoded == "/" || Encoded == prefix.Encoded
        || (Encoded.Length > prefix.Encoded.Length && Encoded.StartsWith(prefix.Encoded, StringComparison.Ordinal)
            && Encoded[prefix.Encoded.Length] == '/');

    /// <summary>For messages: decoded, unless a line would not hold that.</summary>
    public override string ToString() => Decoded is var text && text.Any(char.IsControl) ? Encoded : text;

    private static ObjectPath Normalise(byte[] bytes, string asGiven)
    {
        StringBuilder encoded = new(bytes.Length + 8);
        foreach (Range component in Split(bytes))
        {
            ReadOnlySpan<byte> name = bytes.AsSpan(component);
            if (name.IsEmpty || name.SequenceEqual("."u8))
            {
                continue;
            }

            if (name.SequenceEqual(".."u8))
            {
                throw new PelicanException(Errors.Parameter, $"the path '{asGiven}' has a '..' component",
                    "Spell the path out from the root of the federation.");
            }

            encoded.Append('/');
            foreach (byte b in name)
            {
                Encode(encoded, b, asGiven);
            }
        }

        return encoded.Length == 0 ? Root : new ObjectPath(encoded.ToString());
    }

    private static void Encode(StringBuilder encoded, byte b, string asGiven)
    {
        if (b == 0)
        {
            throw new PelicanException(Errors.Parameter, $"the path '{asGiven.Replace("\0", "%00", StringComparison.Ordinal)}' has a NUL byte",
                "No server can keep such a name: rename the object.");
        }

        if (Unreserved.Contains(b))
        {
            encoded.Append((char)b);
        }
        else
        {
            encoded.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }
    }

    private static List<Range> Split(byte[] bytes)
    {
        List<Range> components = [];
        int start = 0;
        for (int i = 0; i <= bytes.Length; i++)
        {
            if (i == bytes.Length || bytes[i] == (byte)'/')
            {
                components.Add(start..i);
                start = i + 1;
            }
        }

        return components;
    }

    private static byte[] DecodeBytes(string escaped)
    {
        if (!escaped.Contains('%', StringComparison.Ordinal))
        {
            return Encoding.UTF8.GetBytes(escaped);
        }

        byte[] raw = Encoding.UTF8.GetBytes(escaped);
        int length = 0;
        for (int i = 0; i < raw.Length; i++)
        {
            if (raw[i] != (byte)'%')
            {
                raw[length++] = raw[i];
                continue;
            }

            if (i + 2 >= raw.Length || !char.IsAsciiHexDigit((char)raw[i + 1]) || !char.IsAsciiHexDigit((char)raw[i + 2]))
            {
                throw new PelicanException(Errors.Parameter, $"'{escaped}' has a '%' that is not followed by two hexadecimal digits",
                    "In a URL a literal percent sign is written %25.");
            }

            raw[length++] = (byte)((FromHex(raw[i + 1]) << 4) | FromHex(raw[i + 2]));
            i += 2;
        }

        return raw[..length];
    }

    private static int FromHex(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
