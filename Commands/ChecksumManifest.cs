using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>
/// Digests that the user has of local files, <c>ALG:FILE</c>, one <c>&lt;hex&gt; &lt;path&gt;</c> a line as md5sum writes them.
/// Files are compared with it before anything is uploaded: what changed on disk must not go out as if it were right.
/// </summary>
internal sealed class ChecksumManifest
{
    private readonly Dictionary<string, string> _hexByPath = new(StringComparer.Ordinal);

    private ChecksumManifest(ChecksumAlgorithm algorithm) => Algorithm = algorithm;

    /// <summary>The algorithm of every line.</summary>
    public ChecksumAlgorithm Algorithm { get; }

    /// <summary>Reads one.</summary>
    /// <param name="argument">Value of <c>--checksums</c>.</param>
    /// <param name="world">For the path.</param>
    /// <exception cref="PelicanException">The argument, the file or a line of it cannot be used.</exception>
    public static ChecksumManifest Read(string argument, Surroundings world)
    {
        string[] parts = argument.Split(':', 2);
        if (parts.Length < 2 || parts[1].Length == 0)
        {
            throw new PelicanException(Errors.Parameter, $"--checksums '{argument}' is not ALG:FILE", "Write --checksums md5:MD5SUMS");
        }

        ChecksumManifest manifest = new(ChecksumNames.Parse(parts[0]));
        try
        {
            int number = 0;
            foreach (string line in File.ReadLines(world.Absolute(parts[1])))
            {
                number++;
                manifest.Add(line, $"{parts[1]}:{number}");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, parts[1], "read");
        }

        return manifest;
    }

    /// <summary>Compares a file.</summary>
    /// <param name="source">As the user wrote it, which is how the manifest must have it.</param>
    /// <param name="path">Absolute.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="PelicanException">It is not in the manifest, cannot be read, or differs.</exception>
    public void Check(string source, string path, CancellationToken cancellationToken)
    {
        if (!_hexByPath.TryGetValue(source, out string? expected))
        {
            throw new PelicanException(Errors.Parameter, $"the checksums file has no line for '{source}'",
                "Every source must be in it, spelled as on the command line.");
        }

        string actual;
        try
        {
            actual = Convert.ToHexStringLower(Checksum.OfFile(path, Algorithm, cancellationToken));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Faults.FromLocal(e, source, "read");
        }

        if (actual != expected)
        {
            throw new PelicanException(Errors.ChecksumMismatch,
                $"'{source}' has {Checksum.WireName(Algorithm)} {actual}, but the checksums file says {expected}",
                "Nothing was uploaded: find out which of the two is right.")
            { Retryable = false };
        }
    }

    private void Add(string line, string where)
    {
        if (line.Length == 0)
        {
            return;
        }

        int end = line.IndexOfAny([' ', '\t']);
        // md5sum puts a blank, then a blank or an asterisk, before the name.
        string path = end < 0 ? "" : line[(end + 1)..];
        path = path.Length > 0 && path[0] is ' ' or '*' or '\t' ? path[1..] : path;
        string hex = end < 0 ? "" : line[..end].ToLowerInvariant();
        if (path.Length == 0 || hex.Length != 2 * Checksum.Length(Algorithm) || !hex.All(char.IsAsciiHexDigit))
        {
            throw new PelicanException(Errors.Parameter,
                $"{where}: this is not a {Checksum.WireName(Algorithm)} in hexadecimal, a blank and a path");
        }

        _hexByPath[path] = hex;
    }
}
