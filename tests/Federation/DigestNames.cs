using System.Globalization;

namespace Pelican.Federation;

/// <summary>Which digest a server picks of those wanted, and how it spells it (xrootd.md 5, federation-protocol 3.12).</summary>
internal static class DigestNames
{
    private static readonly string[] PelicanKnows = ["md5", "crc32c", "crc32", "sha"];

    /// <summary>Wire names chosen for a <c>Want-Digest</c> header.</summary>
    public static IReadOnlyList<string> Choose(string wanted, Dialect dialect)
    {
        if (!dialect.IsXrootd)
        {
            // Neither q nor capitals are understood (pelican-servers.md 5.2).
            return [.. wanted.Split(',').Select(item => item.Trim()).Where(PelicanKnows.Contains)];
        }

        string[] asked = [.. wanted.Split(',').Select(item => item.Trim().ToLowerInvariant())];

        // 5.5 knows no q: a name with one is a name it does not know.
        string[] names = dialect.OldDigests
            ? asked
            : [.. asked.OrderByDescending(Quality).Select(item => item.Split(';')[0])];
        string[] known = dialect.OldDigests ? ["md5", "adler32", "crc32c"] : ["md5", "adler32", "crc32c", "crc32"];
        return [names.FirstOrDefault(known.Contains) ?? "crc32c"];
    }

    /// <summary>What is computed for a name: 5.8 takes <c>crc32</c> for the <c>cksum</c> of POSIX.</summary>
    public static string Computed(string name, Dialect dialect) =>
        name == "crc32" && dialect.CksumForCrc32 ? "unixcksum" : name;

    /// <summary>One entry of a <c>Digest</c> header.</summary>
    public static string Header(string name, byte[] digest, Dialect dialect) =>
        dialect.OldDigests && name == "crc32c"
            ? $"{name}={Convert.ToBase64String(digest)}"
            : $"{name}={Checksums.Text(name, digest)}";

    private static double Quality(string item) =>
        item.Split(";q=") is [_, string quality] ? double.Parse(quality, CultureInfo.InvariantCulture) : 1;
}
