using Pelican.Transfer;

namespace Pelican.Commands;

/// <summary>Files that a command writes beside what it transfers: its log, its statistics.</summary>
internal static class OutputFiles
{
    /// <summary>Refuses one that the command reads, or transfers to: it would be written over, or uploaded half-written.</summary>
    /// <param name="what">What it is, for the message.</param>
    /// <param name="output">Absolute path; null for none.</param>
    /// <param name="others">Absolute paths of what the command reads, or transfers to.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static void Refuse(string what, string? output, IEnumerable<string> others)
    {
        if (output is null || LocalEntry.At(output) is not { Kind: LocalKind.File or LocalKind.Unknown } there)
        {
            return;
        }

        string path = Path.GetFullPath(output);
        foreach (string other in others)
        {
            if (there.IsSame(LocalEntry.At(other)) || path == Path.GetFullPath(other))
            {
                throw new PelicanException(Errors.Parameter, $"{what} '{output}' is a file that this command reads or transfers", "Name another one.");
            }
        }
    }

    /// <summary>Refuses one that lies in a directory that is moved whole.</summary>
    /// <param name="what">What it is, for the message.</param>
    /// <param name="output">Absolute path; null for none.</param>
    /// <param name="directories">Absolute paths.</param>
    /// <param name="why">What would become of it.</param>
    /// <exception cref="PelicanException"><see cref="Errors.Parameter"/>.</exception>
    public static void RefuseWithin(string what, string? output, IEnumerable<string> directories, string why)
    {
        if (output is not null && directories.FirstOrDefault(directory => Path.GetFullPath(output).StartsWith(Path.GetFullPath(directory).TrimEnd('/') + "/", StringComparison.Ordinal)) is { } directory)
        {
            throw new PelicanException(Errors.Parameter, $"{what} '{output}' lies in '{directory}', and {why}", "Name one outside of it.");
        }
    }
}
