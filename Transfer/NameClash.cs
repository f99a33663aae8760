namespace Pelican.Transfer;

/// <summary>
/// Names of one collection that are a single name in a local directory, where upper case and lower case, or two ways to write a letter
/// with an accent, are the same. The file system is asked: no table knows what it does.
/// </summary>
internal static class NameClash
{
    /// <summary>Two ways to write one word; in the second pair the accent is a character of its own.</summary>
    private static readonly (string First, string Second)[] Alike = [("Pelican-\u00E9", "pELICAN-\u00E9"), ("pelican-\u00E9", "pelican-e\u0301")];

    private static readonly Dictionary<string, string> None = [];

    /// <summary>Finds them.</summary>
    /// <param name="directory">Where they are to go; it exists.</param>
    /// <param name="names">Names of a listing, all different.</param>
    /// <returns>For each name that is not alone, another one of its kind.</returns>
    public static IReadOnlyDictionary<string, string> Find(string directory, IReadOnlyCollection<string> names)
    {
        // Nothing is asked for the sake of names that no file system takes for one another.
        string[] suspects = [.. names.GroupBy(Rough, StringComparer.Ordinal).Where(group => group.Count() > 1).SelectMany(group => group)];
        bool anyScript = names.Count > 1 && names.Any(name => !IsAscii(name));
        if (suspects.Length == 0 && !anyScript)
        {
            return None;
        }

        string probe = Path.Combine(directory, $".{Guid.NewGuid():N}{PartClaim.Suffix}");
        try
        {
            Directory.CreateDirectory(probe, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing can be put there at all, and that will be told.
            return None;
        }

        try
        {
            return Place(probe, anyScript && Alike.Any(pair => !AreTwo(probe, pair.First, pair.Second)) ? [.. names] : suspects);
        }
        finally
        {
            TryDelete(probe);
        }
    }

    private static Dictionary<string, string> Place(string probe, string[] names)
    {
        Dictionary<string, string> clashes = new(StringComparer.Ordinal);
        List<string> placed = [];
        foreach (string name in names)
        {
            if (TryPlace(probe, name))
            {
                placed.Add(name);
                continue;
            }

            // Which of them it is taken for: some file systems give each name a number of its own.
            LocalEntry there = LocalEntry.At(Path.Combine(probe, name));
            string other = placed.Find(one => there.IsSame(LocalEntry.At(Path.Combine(probe, one)))) ?? placed.Find(one => Rough(one) == Rough(name)) ?? placed[^1];
            clashes[name] = other;
            clashes.TryAdd(other, name);
        }

        return clashes;
    }

    private static bool AreTwo(string probe, string first, string second) => TryPlace(probe, first) && TryPlace(probe, second);

    // False when the name is taken. One that cannot be made at all is none of our business: whoever wants it will be told.
    private static bool TryPlace(string probe, string name)
    {
        try
        {
            using LocalFile? made = LocalFile.TryCreate(Path.Combine(probe, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return made is not null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    private static void TryDelete(string probe)
    {
        try
        {
            Directory.Delete(probe, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It has the name of an incomplete download, and is hidden.
        }
    }

    // FAT drops dots and blanks at the end of a name.
    private static string Rough(string name) => name.ToLowerInvariant().TrimEnd('.', ' ');

    private static bool IsAscii(string name) => !name.AsSpan().ContainsAnyExceptInRange('\0', '\x7F');
}
