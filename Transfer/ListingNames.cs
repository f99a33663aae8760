namespace Pelican.Transfer;

/// <summary>
/// Tells what an <c>href</c> of a listing names. Servers write it with the path of the URL that answered, of the one that was asked
/// (a proxy or a redirect lies between), or with the path in the federation: all three are this collection, and nothing else is.
/// </summary>
internal sealed class ListingNames
{
    private readonly bool _literal;
    private readonly List<string[]> _places;
    private bool _first = true;

    /// <param name="paths">What the collection, or object, may be called, escaped; what fits the first entry goes before the others.</param>
    /// <param name="literal">Whether names are written as they are, without escapes.</param>
    public ListingNames(IEnumerable<string> paths, bool literal)
    {
        _literal = literal;
        _places = [];
        foreach (string path in paths.Distinct(StringComparer.Ordinal))
        {
            if (Components(path, literal: false) is { } place)
            {
                _places.Add(place);
            }
        }
    }

    /// <summary>Reads one.</summary>
    /// <param name="href">Path as the server wrote it.</param>
    /// <param name="name">Name of a child; null for the collection or object itself.</param>
    /// <returns>False when it is neither: no such entry is to be believed.</returns>
    public bool TryRead(string href, out string? name)
    {
        bool first = _first;
        _first = false;
        name = null;
        if (Components(href, _literal) is not { } at)
        {
            return false;
        }

        // The first one repeats the request as it was sent, escapes and all; those of a literal server may look like that too.
        string[]? sent = first && _literal ? Components(href, literal: false) : null;
        if (Place(place => Same(at, place) || (sent is not null && Same(sent, place))))
        {
            return true;
        }

        // A slash too many may be one that a name had.
        bool doubled = href.AsSpan().TrimEnd('/') is var trimmed && trimmed[..(trimmed.LastIndexOf('/') + 1)].EndsWith("//");
        if (!doubled && Place(place => at.Length == place.Length + 1 && Same(at.AsSpan(0, place.Length), place)))
        {
            name = at[^1];
            return true;
        }

        return false;
    }

    private bool Place(Predicate<string[]> fits)
    {
        int index = _places.FindIndex(fits);
        if (index > 0)
        {
            (_places[0], _places[index]) = (_places[index], _places[0]);
        }

        return index >= 0;
    }

    private static bool Same(ReadOnlySpan<string> a, ReadOnlySpan<string> b) => a.SequenceEqual(b);

    // Null for what climbs, or hides a slash in an escape. Empty components and single dots name nothing (RFC 3986, 5.2.4).
    private static string[]? Components(string path, bool literal)
    {
        List<string> components = [];
        foreach (string part in path.Split('/'))
        {
            string component = literal ? part : Uri.UnescapeDataString(part);
            if (component == ".." || component.AsSpan().IndexOfAny('/', '\0') >= 0)
            {
                return null;
            }

            if (component.Length > 0 && component != ".")
            {
                components.Add(component);
            }
        }

        return path.StartsWith('/') ? [.. components] : null;
    }
}
