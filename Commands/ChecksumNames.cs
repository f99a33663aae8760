using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Names of digests on the command line.</summary>
internal static class ChecksumNames
{
    /// <summary>The names, for help.</summary>
    public static string All { get; } = string.Join(", ", Enum.GetValues<ChecksumAlgorithm>().Select(Checksum.WireName));

    /// <summary>Reads one, in any case; <c>sha1</c> is another name of <c>sha</c>.</summary>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static ChecksumAlgorithm Parse(string name)
    {
        string wireName = string.Equals(name, "sha1", StringComparison.OrdinalIgnoreCase) ? "sha" : name;
        foreach (ChecksumAlgorithm algorithm in Enum.GetValues<ChecksumAlgorithm>())
        {
            if (string.Equals(Checksum.WireName(algorithm), wireName, StringComparison.OrdinalIgnoreCase))
            {
                return algorithm;
            }
        }

        throw new PelicanException(Errors.Parameter, $"Unknown checksum algorithm: '{name}'", $"Valid algorithms are: {All}.");
    }
}
