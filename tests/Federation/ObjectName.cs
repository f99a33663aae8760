using System.Globalization;
using System.Text;

namespace Pelican.Federation;

/// <summary>The path of a request as an object server understands it.</summary>
/// <param name="Path">Decoded, without double and trailing slashes.</param>
/// <param name="EndsWithSlash">Whether the request's path ended with a slash.</param>
internal readonly record struct ObjectName(string Path, bool EndsWithSlash)
{
    /// <summary>The path with its slash, as errors quote it.</summary>
    public string Sent => EndsWithSlash ? Path + "/" : Path;

    /// <summary>Decodes as the dialect does; null when a component is <c>..</c>.</summary>
    public static ObjectName? Parse(string rawPath, Dialect dialect)
    {
        string decoded = dialect.IsXrootd ? DecodeLikeXrootd(rawPath) : Uri.UnescapeDataString(rawPath);
        string[] components = [.. decoded.Split('/').Where(name => name.Length > 0 && name != ".")];
        return components.Contains("..") ? null : new("/" + string.Join('/', components), decoded.EndsWith('/'));
    }

    /// <summary>XRootD ends the name at <c>%3F</c>, <c>%00</c> and a malformed escape, with every sign of success (xrootd.md 9).</summary>
    private static string DecodeLikeXrootd(string rawPath)
    {
        byte[] raw = Encoding.UTF8.GetBytes(rawPath);
        List<byte> decoded = [];
        for (int i = 0; i < raw.Length; i++)
        {
            byte b = raw[i];
            if (b == (byte)'%')
            {
                string digits = Encoding.ASCII.GetString(raw, i + 1, Math.Min(2, raw.Length - i - 1));
                if (digits.Length < 2 || !byte.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out b)
                    || b is 0 or (byte)'?')
                {
                    break;
                }

                i += 2;
            }

            decoded.Add(b);
        }

        return Encoding.UTF8.GetString([.. decoded]);
    }
}
